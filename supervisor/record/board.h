/*
 * board.h - the supervisor's end of a worker's scoreboard (base/scoreboard.h).
 *
 * Each process gets a new one: no two ever write to the same, not even a worker
 * and the one that replaces it, and what a forgotten child of a dead worker
 * still writes reaches nobody.
 */
#ifndef SUPERVISOR_RECORD_BOARD_H
#define SUPERVISOR_RECORD_BOARD_H

#include "base/attributes.h"
#include "base/scoreboard.h"

/* What one or many workers have done. */
struct figures {
	uint64_t requests; /* finished */
	uint64_t starts;   /* of processes */
	uint64_t failures; /* of processes that should not have ended, or not like that */
	uint64_t aborted;  /* were in hand when their worker died */
	uint64_t errors, bytes, microseconds;
	size_t counters;                                 /* of the workers' own */
	char name[SCOREBOARD_COUNTERS][SCOREBOARD_NAME]; /* of a-z, 0-9 and _ */
	uint64_t counter[SCOREBOARD_COUNTERS];
	bool gauge[SCOREBOARD_COUNTERS];    /* goes up and down: of the living alone */
	uint64_t bucket[HISTOGRAM_BUCKETS]; /* of how long finished requests took */
};

/* What the threads of a worker do now. */
struct board_work {
	size_t busy, idle;
	int64_t oldest;            /* clock_now since when the oldest request runs; 0: none runs */
	int64_t deadline;          /* the earliest of a running request; LOOP_FOREVER: none */
	struct score_view request; /* that with the earliest deadline, else the oldest */
};

struct board {
	struct scoreboard *memory;
	int fd;             /* of it, for the child, and for the next master */
	int64_t timeout;    /* of a request that sets itself no deadline; 0: no limit */
	struct board *next; /* for the ledger */
};

/*
 * A board for a process about to be made, which inherits its descriptor.  TIMEOUT
 * is what a request may take, in µs; 0: no limit.  NULL with errno set: the
 * process has to do without.
 */
struct board *board_open(int64_t timeout) MUST_CHECK;
void board_close(struct board **);

/* Hands one over, or takes it from a master before us: upgrade/state.h.  NULL is fine: there is
 * none. */
struct state;
struct board *board_pass(struct state *, struct board *);

/* --- a NULL board is one that is not used --- */

bool board_is_used(const struct board *);          /* the worker writes to it */
long long board_requests(const struct board *);    /* begun so far; -1: it does not say */
void board_limit(struct board *, int64_t timeout); /* for requests to come, and without a limit */
void board_look(const struct board *, struct board_work *);
void board_add(const struct board *, struct figures *);

/* The oldest request in hand that began after AFTER (a clock_now); false: there is none. */
bool board_find_after(const struct board *, int64_t after, struct score_view *) MUST_CHECK;

/* Its process is dead: what was begun and will not be finished counts as aborted. */
void board_add_last(const struct board *, struct figures *);

#endif
