/*
 * policy.h - what should be done now, and when to ask again.
 *
 * Decides, and does nothing: it reads the table of pools and the time it is
 * given, and returns orders.  The master carries them out.  So every rule about
 * order, patience and forgiveness stands in policy.c, and its test needs no
 * process and no sleep.
 */
#ifndef SUPERVISOR_POLICY_H
#define SUPERVISOR_POLICY_H

#include <stdint.h>

#include "supervisor/pool.h"

enum order_verb {
	ORDER_START,     /* fork its process */
	ORDER_WELCOME,   /* it is ready */
	ORDER_LOOK,      /* look whether it is ready */
	ORDER_END_PROBE, /* the command that looks takes too long: kill it */
	ORDER_GIVE_UP,   /* not ready in time: send its stop signal */
	ORDER_STOP,      /* send its stop signal */
	ORDER_KILL,      /* it has not ended in time: SIGKILL */
	ORDER_REST,      /* it has no process and shall get none */
};

struct order {
	enum order_verb verb;
	struct worker *worker;
};

struct orders {
	struct order *order; /* room for one per worker */
	size_t count;
	int64_t wake; /* decide again at this time, if nothing happens before */
};

/* Room for what policy_decide may say about these pools. */
void orders_make(struct arena *, const struct pools *, struct orders *);

/* Fills the orders: at most one for each worker. */
void policy_decide(const struct pools *, int64_t now, struct orders *);

/* How a process ended. */
struct ending {
	bool signalled;
	int code; /* the exit status, or the signal */
};

/* What becomes of a worker whose process has ended. */
struct verdict {
	enum worker_state next;
	unsigned failures; /* in a row, this one included */
	int64_t retry_at;
	bool failed; /* it should not have ended, or not like that */
};

/* RANDOM is any number: it spreads the workers that try again. */
struct verdict policy_after_end(const struct pools *, const struct worker *, const struct ending *,
    int64_t now, uint32_t random);

/* The same when not even a process could be made: fork(2) failed. */
struct verdict policy_after_no_start(const struct worker *, int64_t now, uint32_t random);

/*
 * Microseconds to wait after so many FAILURES in a row: backoff_first, doubled
 * with each more, at most backoff_longest; then up to a tenth more, by RANDOM.
 */
int64_t policy_backoff(const struct pool_conf *, unsigned failures, uint32_t random);

#endif
