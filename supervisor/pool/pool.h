/*
 * pool.h - the table of pools and workers: who exists, in which state, since when.
 *
 * A pool runs its workers in generations: a reload starts a next one beside the
 * one that serves, and the old one leaves when the next is ready.  A worker is
 * a seat in a generation.  It outlives its process: the process may die and be
 * replaced, the seat keeps its number and its record.  Everything here is data;
 * what to do about it is decided in policy.h.
 */
#ifndef SUPERVISOR_POOL_H
#define SUPERVISOR_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/conf/plan.h"
#include "supervisor/pool/sight.h"
#include "supervisor/system/loop.h"

enum worker_state {
	WORKER_WAITING,  /* no process: waits for other pools, or for its turn to try again */
	WORKER_STARTING, /* has a process, which is not ready; a task stays so while it runs */
	WORKER_READY,
	WORKER_DRAINING, /* finishes what it has; is not asked to end before it is idle */
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

enum trial_state { TRIAL_NONE, TRIAL_UNDER_WAY, TRIAL_PASSED, TRIAL_FAILED };

/* The request that must be answered before the worker counts as ready: process/canary.h. */
struct trial {
	enum trial_state state;
	int64_t next;          /* when to make it; or, when it has failed, to act on that */
	int64_t begun;         /* when it was first made, or could not be; 0: not yet */
	struct canary *canary; /* what came of it; NULL: nothing yet */
};

#define WORKER_SAID_ROOM  128
#define WORKER_CAUSE_ROOM 160

struct worker {
	struct generation *generation;
	size_t slot;      /* from 1 */
	const char *name; /* for people: "web 2", or "database" when it is alone */

	enum worker_state state; /* worker_becomes() is its only writer */
	int64_t since;           /* clock_now of that */

	struct cgroup *cgroup; /* its process and all its children; NULL: it has none */
	pid_t pid;           /* 0 from the moment it is reaped: never signal a dead one's number */
	int64_t started;     /* clock_now of the last start; 0: never yet */
	int64_t ready_since; /* 0: this process has not been ready */
	bool executed;       /* exec(2) has succeeded */
	bool seems_ready;    /* it said so, or was seen to be */
	struct watch report; /* the pipe on which the child reports a failed exec; fd -1: closed */
	struct probe probe;
	struct trial trial;
	struct capture *capture; /* of what the process prints; NULL: there is none */
	struct board *board;     /* its scoreboard (board.h); NULL: it runs without */
	struct sight sight;      /* what it was doing when last looked at */

	unsigned failures; /* in a row */
	int64_t retry_at;  /* not before this */
	unsigned long restarts;
	int64_t age_limit;       /* microseconds from its start; 0: none.  With its own jitter */
	long long request_limit; /* 0: none; with its own jitter */
	long long requests;      /* served by this process, as far as it can be known */
	long long memory;        /* bytes that are its own, and its share of the rest (PSS) */
	bool leaving;            /* its process shall end, and none shall follow it */
	struct worker *replaces; /* leaves as soon as this one is ready; or NULL */
	int64_t look_at;         /* while draining: look then whether it is idle */
	struct inquest *inquest; /* somebody looks where it hangs (inquest.h); NULL: nobody */
	bool followed;           /* while draining: up to its next accept (follow.h) */
	bool explained;          /* it was looked at since it shall end */
	int64_t signal_at; /* its stop signal waits for the inquest, until then at most; 0: it was
			      sent */
	int64_t slow_seen; /* requests that began by then were looked at, if they were slow */
	char said[WORKER_SAID_ROOM];   /* its last STATUS= */
	char cause[WORKER_CAUSE_ROOM]; /* why it failed, when we know better than its exit status */
};

enum generation_phase {
	GENERATION_COMING,   /* starts beside the one that serves */
	GENERATION_SERVING,  /* the pool's socket is its own */
	GENERATION_EMPTYING, /* nobody new is sent to its socket; what queued there is served */
	GENERATION_LEAVING,  /* nothing more can reach it; its workers finish and end */
};
extern const char *const generation_phase_names[]; /* in enum order */

struct generation {
	struct pool *pool;
	struct arena *arena;      /* holds it and all that is its own */
	struct edition *edition;  /* of the configuration that it follows */
	struct generation *older; /* of the same pool */
	long long number;         /* from 1 */
	uint64_t imprint;         /* of the files that its processes are made of */
	bool proven;              /* all of its workers were ready once */
	const char *failure;      /* why it cannot take over; NULL: nothing is known against it */
	unsigned long long retired_by; /* the number of the reload; 0: none */
	enum generation_phase phase;
	int64_t since; /* clock_now of that */
	struct plan plan;
	struct listener *listener; /* NULL: the pool has no socket */
	int64_t look_at;           /* while emptying: look then whether the queue is empty */
	int64_t empty_since;       /* 0: it was not when last seen */
	struct worker **worker;    /* the seats, each staying where it is for good */
	size_t count, room;
};

struct pool {
	const char *name;
	struct arena *arena;
	struct generation *generation; /* the one that serves; a new pool's first before it does */
	struct generation *newest;     /* the list of all: one that is coming, that one, old ones */
	struct pool **after;
	size_t after_count;
	struct ledger
	    *ledger; /* what its workers have done (ledger.h); NULL: none was started yet */
	long long generations;       /* the number of the last one made */
	long long scaled;            /* workers, as a person wished; 0: as configured */
	struct autoscale *autoscale; /* what is known of its demand; NULL: nothing yet */
	bool drained;                /* by a person's wish: it takes nothing new */
	bool removed;                /* the configuration names it no more */
	bool outdated;   /* a service whose settings have changed: it must be restarted */
	int64_t slow_at; /* no slow request is looked at before this */
};

/* We slept, and the whole machine perhaps: from one look at the clock to the next, far too late. */
struct pause {
	int64_t ended; /* clock_now; 0: there was none yet */
	int64_t length;
};

enum stopping { STOP_NOT, STOP_ORDERLY, STOP_QUICK };

struct pools {
	struct pool **pool;
	size_t count;
	struct arena *order; /* holds who comes after whom */
	bool *follows; /* [i * count + j]: pool i comes after pool j, perhaps with others between */
	struct reload *reload;       /* changes this table */
	struct upgrade *upgrade;     /* hands it to a next ostlerd */
	struct inherited *inherited; /* sockets that were there before us */
	struct inquests *inquests;   /* who is being looked at */
	size_t look_from;            /* the worker that sight_look_at_all() begins with */
	enum stopping stopping;
	int64_t stopping_since; /* of the present kind of stopping */
	struct pause pause;     /* the last one */
};

/* What a pool is as a whole, from its workers. */
enum pool_state {
	POOL_WAITING, /* has never started */
	POOL_STARTING,
	POOL_READY,    /* all workers are */
	POOL_DEGRADED, /* some are */
	POOL_FAILING,  /* none is, and one at least has failed */
	POOL_DONE,     /* a task */
	POOL_DRAINING, /* finishes what it has, by a person's wish */
	POOL_DRAINED,
	POOL_STOPPING,
	POOL_STOPPED,
};
extern const char *const pool_state_names[]; /* in enum order */

/* Room for pools; there is none yet. */
struct pools *pools_new(void) MUST_CHECK;
void pools_free(struct pools **);

/* Adds an empty pool, or takes one away that has no generation left. */
struct pool *pools_add(struct pools *, const char *name);
void pools_remove(struct pools *, struct pool *);
struct pool *pools_find(const struct pools *, const char *name); /* not a removed one; or NULL */

/* Works out who comes after whom, from the `after` that each pool's newest generation names. */
void pools_put_in_order(struct pools *);

/* The only way a worker changes its state; a move that makes no sense is a bug. */
void worker_becomes(struct worker *, enum worker_state, int64_t now);

static inline const struct pool_conf *worker_conf(const struct worker *worker)
{
	return worker->generation->plan.conf;
}

bool worker_is_alive(const struct worker *);           /* has a process */
bool generation_is_ready(const struct generation *);   /* every worker that stays is, or is done */
bool generation_is_at_rest(const struct generation *); /* no worker has a process */
bool generation_has_ended(const struct generation *);  /* nor will one have one again */
bool generation_has_begun(const struct generation *);  /* a worker was started once */
bool pool_is_ready(const struct pool *);               /* the generation that serves is */
bool pool_has_begun(const struct pool *);              /* a worker of it was started once */
bool pool_is_at_rest(const struct pool *);             /* no worker of any generation runs */
enum pool_state pool_state(const struct pools *, const struct pool *);

/* Whether POOL comes after OTHER: names it in its `after`, or names one that does. */
bool pool_comes_after(const struct pools *, const struct pool *, const struct pool *other);

/*
 * How much longer than usual he may take whose time runs SINCE: as long as the
 * last pause, if he was in it.  A suspended laptop, a paused virtual machine or
 * SIGSTOP must not end in killing all who could not go on meanwhile.
 */
int64_t pools_excuse(const struct pools *, int64_t since);

/* The worker whose process, or whose probe's process, PID is; or NULL. */
struct worker *pools_find_worker(const struct pools *, pid_t pid);
struct worker *pools_find_probe(const struct pools *, pid_t pid);

/* Wishes all to end; a quicker kind replaces a slower one, never the other way. */
void pools_stop(struct pools *, enum stopping, int64_t now);
bool pools_have_stopped(const struct pools *);
bool pools_are_ready(const struct pools *);

#endif
