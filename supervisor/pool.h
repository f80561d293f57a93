/*
 * pool.h - the table of pools and workers: who exists, in which state, since when.
 *
 * A pool runs its workers in generations: one today; a reload puts a next one
 * beside it.  A worker is a slot of a generation.  It outlives its process: the
 * process may die and be replaced, the slot keeps its number and its record.
 * Everything here is data; what to do about it is decided in policy.h.
 */
#ifndef SUPERVISOR_POOL_H
#define SUPERVISOR_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/loop.h"
#include "supervisor/plan.h"

enum worker_state {
	WORKER_WAITING,  /* no process: waits for other pools, or for its turn to try again */
	WORKER_STARTING, /* has a process, which is not ready; a task stays so while it runs */
	WORKER_READY,
	WORKER_STOPPING, /* was asked to end */
	WORKER_KILLED,   /* was killed; the kernel has not said yet that it is dead */
	WORKER_DONE,     /* a task that has ended with 0 */
	WORKER_STOPPED,  /* no process, and none to come */
};
extern const char *const worker_state_names[]; /* in enum order */

/* A look whether a worker is ready, while it starts. */
struct probe {
	int64_t next;     /* when to look */
	int fd;           /* connection under way, or -1 */
	pid_t pid;        /* command under way, or 0 */
	int64_t deadline; /* of that command */
};

#define WORKER_SAID_ROOM  128
#define WORKER_CAUSE_ROOM 160

struct worker {
	struct generation *generation;
	size_t slot;      /* from 1 */
	const char *name; /* for people: "web 2", or "database" when it is alone */

	enum worker_state state; /* worker_becomes() is its only writer */
	int64_t since;           /* clock_now of that */

	pid_t pid;           /* 0 from the moment it is reaped: never signal a dead one's number */
	int64_t started;     /* clock_now of the last start; 0: never yet */
	int64_t ready_since; /* 0: this process has not been ready */
	bool executed;       /* exec(2) has succeeded */
	bool seems_ready;    /* it said so, or was seen to be */
	struct watch report; /* the pipe on which the child reports a failed exec; fd -1: closed */
	struct probe probe;
	off_t output_from; /* size of the output file when it started */

	unsigned failures; /* in a row */
	int64_t retry_at;  /* not before this */
	unsigned long restarts;
	char said[WORKER_SAID_ROOM];   /* its last STATUS= */
	char cause[WORKER_CAUSE_ROOM]; /* why it failed, when we know better than its exit status */
};

struct generation {
	struct pool *pool;
	long long number; /* from 1 */
	struct plan plan;
	struct listener *listener; /* NULL: the pool has no socket */
	struct worker *worker;
	size_t count;
};

struct pool {
	const char *name;
	struct generation *generation;
	struct pool **after;
	size_t after_count;
};

enum stopping { STOP_NOT, STOP_ORDERLY, STOP_QUICK };

struct pools {
	struct pool *pool;
	size_t count;
	size_t worker_count;
	bool *follows; /* [i * count + j]: pool i comes after pool j, perhaps with others between */
	enum stopping stopping;
	int64_t stopping_since; /* of the present kind of stopping */
};

/* What a pool is as a whole, from its workers. */
enum pool_state {
	POOL_WAITING, /* has never started */
	POOL_STARTING,
	POOL_READY,    /* all workers are */
	POOL_DEGRADED, /* some are */
	POOL_FAILING,  /* none is, and one at least has failed */
	POOL_DONE,     /* a task */
	POOL_STOPPING,
	POOL_STOPPED,
};
extern const char *const pool_state_names[]; /* in enum order */

/* The pools of CONF, all waiting.  The critic hears what has become wrong since the check: NULL. */
struct pools *pools_new(struct arena *, const struct conf *, const struct plan_critic *) MUST_CHECK;

/* Works out who comes after whom, from the `after` of each. */
void pools_put_in_order(struct arena *, struct pools *);

/* The only way a worker changes its state; a move that makes no sense is a bug. */
void worker_becomes(struct worker *, enum worker_state, int64_t now);

static inline const struct pool_conf *worker_conf(const struct worker *worker)
{
	return worker->generation->plan.conf;
}

bool worker_is_alive(const struct worker *); /* has a process */
bool pool_is_ready(const struct pool *);     /* every worker is ready, or done */
bool pool_has_begun(const struct pool *);    /* a worker was started once */
bool pool_is_at_rest(const struct pool *);   /* no worker has a process */
enum pool_state pool_state(const struct pools *, const struct pool *);

/* Whether POOL comes after OTHER: names it in its `after`, or names one that does. */
bool pool_comes_after(const struct pools *, const struct pool *, const struct pool *other);

/* The worker whose process, or whose probe's process, PID is; or NULL. */
struct worker *pools_find_worker(const struct pools *, pid_t pid);
struct worker *pools_find_probe(const struct pools *, pid_t pid);

/* Wishes all to end; a quicker kind replaces a slower one, never the other way. */
void pools_stop(struct pools *, enum stopping, int64_t now);
bool pools_have_stopped(const struct pools *);
bool pools_are_ready(const struct pools *);

#endif
