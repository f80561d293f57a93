/*
 * scoreboard.h - what each thread of a worker does, in memory that the supervisor reads.
 *
 * The supervisor makes a board for each process and hands it over as the
 * descriptor OSTLER_SCOREBOARD_FD: a memory file, sealed so that its size
 * stays.  Each thread of the process writes to a slot of its own and to no
 * other, so that nothing is locked and no count is lost.  Every value is a
 * 64-bit atomic; the words of the request line are guarded by a sequence number
 * that is odd while they change (a seqlock).
 *
 * The supervisor adds a board to the totals of its pool when the process has
 * died.  So the order of the stores matters: what a thread that was killed had
 * in hand is one request begun and not in any bucket.
 *
 * The layout is a contract with programs in any language: ostler-worker(7)
 * says it, SCOREBOARD_VERSION numbers it.
 */
#ifndef BASE_SCOREBOARD_H
#define BASE_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

#define SCOREBOARD_VARIABLE "OSTLER_SCOREBOARD_FD"
#define SCOREBOARD_MAGIC    UINT64_C(0x3142534c54534f) /* "OSTLSB1" */
#define SCOREBOARD_VERSION  1
#define SCOREBOARD_SLOTS    1024 /* only those that are used take memory */
#define SCOREBOARD_COUNTERS 16
#define SCOREBOARD_NAME     32  /* of a counter, with its NUL */
#define SCOREBOARD_GAUGE    '=' /* begins the name of one that goes up and down */
#define SCOREBOARD_LINE     12  /* words of the request line: 1 for the method, 11 for the route */
#define SCOREBOARD_METHOD   8   /* with its NUL */
#define SCOREBOARD_ROUTE    88  /* with its NUL */

typedef _Atomic uint64_t score_word;

enum score_state {
	SCORE_IDLE,    /* waits for a request */
	SCORE_WORKING, /* on a request */
	SCORE_SENDING, /* its answer */
};

/* A thread's part: 109 cache lines.  The pool's numbers come from here alone. */
struct score {
	_Alignas(64) score_word sequence; /* of the request line: odd while it is written */
	score_word state;                 /* enum score_state */
	score_word since;    /* clock_now of the state IDLE, or of the request's begin */
	score_word deadline; /* clock_now by which the request should have ended; 0: none */
	score_word begun;    /* requests */
	score_word finished; /* of those; the rest is in hand, or was aborted */
	score_word errors;   /* finished by our own failure: status 500 and above */
	score_word bytes;    /* of bodies sent */
	score_word line[SCOREBOARD_LINE];
	score_word microseconds; /* all finished requests together */
	score_word reserved[3];
	score_word counter[SCOREBOARD_COUNTERS]; /* as the board names them */
	score_word bucket[HISTOGRAM_BUCKETS];    /* of how long finished requests took */
};

/* The board's own page, then the slots. */
struct scoreboard_head {
	uint64_t magic, version;
	uint64_t head_bytes, slot_bytes, slots; /* so that a reader can check what he was given */
	score_word
	    timeout;     /* µs that a request may take, by the supervisor's setting; 0: no limit */
	score_word used; /* slots that the worker writes to, the first ones; 0: it does not */
	score_word named; /* counters that have a name */
	char name[SCOREBOARD_COUNTERS][SCOREBOARD_NAME];
};

struct scoreboard {
	_Alignas(4096) struct scoreboard_head head;
	_Alignas(4096) struct score slot[SCOREBOARD_SLOTS];
};

_Static_assert(sizeof(struct score) == 6976, "the layout is a contract: ostler-worker(7)");
_Static_assert(offsetof(struct scoreboard, slot) == 4096, "the layout is a contract");

/* --- for a worker --- */

/*
 * The board that the supervisor handed over; without one, or with one of another
 * version, a board that nobody reads, so that no caller has to ask.  THREADS is
 * how many slots will be written to, at most SCOREBOARD_SLOTS.
 */
struct scoreboard *scoreboard_attach(size_t threads);
void scoreboard_detach(struct scoreboard **);

/* Makes room for a counter of the worker's own, such as "cache_hits"; before threads start.  -1:
 * none is left. */
int scoreboard_counter(struct scoreboard *, const char *name);

/* A request begins at NOW; its end will be counted by scoreboard_end and nothing else. */
void scoreboard_begin(struct score *, int64_t now, uint64_t timeout);

/* What it is: the method, and the path as the routes write it.  What is too long is cut. */
void scoreboard_name(struct score *, const char *method, const char *route);

static inline void scoreboard_send(struct score *score)
{
	atomic_store_explicit(&score->state, SCORE_SENDING, memory_order_release);
}

/* The request that BEGAN then has ended at NOW, after BYTES of body. */
void scoreboard_end(struct score *, int64_t began, int64_t now, size_t bytes, bool error);

/* Only its own thread writes to a word: no instruction is locked. */
static inline void score_add(score_word *word, uint64_t more)
{
	uint64_t had = atomic_load_explicit(word, memory_order_relaxed);

	atomic_store_explicit(word, had + more, memory_order_release);
}

/* --- for who reads --- */

/* A thread's present request. */
struct score_view {
	enum score_state state;
	int64_t since, deadline;
	char method[SCOREBOARD_METHOD];
	char route[SCOREBOARD_ROUTE]; /* "": not known yet */
};

/* False: it changed too fast, or its writer died in the middle; state and times are right then,
 * too. */
bool scoreboard_view(const struct score *, struct score_view *);

static inline uint64_t score_read(const score_word *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

#endif
