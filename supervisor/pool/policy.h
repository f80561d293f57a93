/*
 * policy.h - what should be done now, and when to ask again.
 *
 * Decides, and does nothing: it reads the table of pools and the time it is
 * given, and returns orders.  The master carries them out.  So every rule about
 * order, patience and forgiveness stands in policy.c, and its test needs no
 * process and no sleep.
 */
#ifndef SUPERVISOR_POOL_POLICY_H
#define SUPERVISOR_POOL_POLICY_H

#include <stdint.h>

#include "supervisor/pool/pool.h"

enum order_verb {
	ORDER_START,     /* fork its process */
	ORDER_WELCOME,   /* it is ready */
	ORDER_LOOK,      /* look whether it is ready */
	ORDER_END_PROBE, /* the command that looks takes too long: kill it */
	ORDER_TRY,       /* make the request that it must answer first */
	ORDER_REJECT,    /* it did not answer, or not well: send its stop signal */
	ORDER_GIVE_UP,   /* not ready in time: send its stop signal */
	ORDER_DRAIN,     /* let it finish what it has */
	ORDER_ASK,       /* look whether it is idle, and send its stop signal if it is */
	ORDER_HURRY,     /* it has not finished in time: send its stop signal */
	ORDER_STOP,      /* send its stop signal */
	ORDER_KILL,      /* it has not ended in time: SIGKILL */
	ORDER_REST,      /* it has no process and shall get none */
	ORDER_RECYCLE,   /* it has served long enough: start another for it */
	ORDER_RELIEVE,   /* it is ready: the one it replaces can leave */
	ORDER_WATCH,     /* look what it does */
	ORDER_ABANDON,   /* its request takes too long: send its stop signal */
	ORDER_EXPLAIN,   /* look where it hangs: it is going to be killed, or its request is slow */
	ORDER_SIGNAL,    /* it was looked at, or there is no time left: send its stop signal now */
};

struct order {
	enum order_verb verb;
	struct worker *worker;
};

struct orders {
	struct order *order;
	size_t count, room;
	int64_t wake; /* decide again at this time, if nothing happens before */
};

/* Fills the orders, which are all 0 at first: at most one for each worker. */
void policy_decide(const struct pools *, int64_t now, struct orders *);
void orders_free(struct orders *);

/* Whether a generation that serves shall begin to leave now, because all end or its pool is gone.
 */
bool policy_may_retire(const struct pools *, const struct generation *);

/* Whether the worker has served for as long as its pool wants, and in which respect; NULL: no. */
const char *policy_is_due(const struct worker *, int64_t now);

/*
 * How long, in µs, a look at a worker may take that shall end: its stop signal waits
 * for it, but never longer than half of what the worker has until it is killed.
 */
int64_t policy_trace_time(const struct worker *);

/* Whether the worker is to have a process: a new one, should it have none. */
bool policy_wants_process(const struct pools *, const struct worker *);

#endif
