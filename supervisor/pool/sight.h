/*
 * sight.h - what a worker is doing now, as far as it can be seen.
 *
 * One that keeps a scoreboard says it.  Of any other /proc tells: a process that
 * waits in accept(2) on descriptor 0, or for its client to send something, has
 * nothing to do; anything else is work on the connection that it has open.  What
 * /proc does not show is not guessed.
 */
#ifndef SUPERVISOR_POOL_SIGHT_H
#define SUPERVISOR_POOL_SIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/scoreboard.h"
#include "supervisor/pool/foreign.h"

struct sight {
	int64_t at;           /* clock_now of the last look; 0: none yet */
	int64_t next;         /* of the one to come */
	long long busy, idle; /* threads; -1: cannot be seen */
	int64_t since;        /* clock_now since when its oldest request runs; 0: none does */
	int64_t deadline;     /* the earliest of a running request; LOOP_FOREVER: none */
	bool overdue;         /* a request runs for longer than it may */
	char method[SCOREBOARD_METHOD],
	    route[SCOREBOARD_ROUTE]; /* of it, or of the oldest; "": unknown */
	int64_t slow;            /* clock_now since when the oldest runs that is slow and was not
				    looked at for that (worker->slow_seen); 0: none does */
	struct sighting foreign; /* of one without a scoreboard */
	bool reads, receives;    /* it was seen waiting in read(2); in other calls only */
	long long memory;        /* bytes (PSS), as of memory_at; -1: not known */
	int64_t memory_at;       /* clock_now; 0: not measured yet */
};

struct worker;
struct pools;

/* Nothing is known of a worker that has just been made. */
void sight_forget(struct sight *, int64_t now);

/* Looks, and fills in worker->sight.  A worker without a process does nothing. */
void sight_look(struct worker *, int64_t now);

/* The same, and measures what the pool has a limit for: worker->requests and worker->memory. */
void sight_watch(struct worker *, int64_t now);

/* For who asks: looks at all, and measures their memory, as far as there is time for both. */
void sight_look_at_all(struct pools *, int64_t now);

#define SIGHT_TEXT 160

/* "GET /api/tasks/{id} for 31.0 s", or what is known of its oldest request. */
void sight_describe(const struct sight *, int64_t now, char text[static SIGHT_TEXT]);

/* The same of the request that is slow. */
void sight_describe_slow(const struct worker *, int64_t now, char text[static SIGHT_TEXT]);

/*
 * The memory of a process, what it shares divided by how many share it (PSS, in
 * bytes: proc_pid_smaps(5)); -1: the kernel does not tell.
 */
long long sight_memory(pid_t);

#endif
