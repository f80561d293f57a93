/*
 * autoscale.h - pools whose number of workers follows demand: looks, has it decided, acts.
 *
 * A pool that has a worker is looked at every `interval`.  One that has none is
 * not: the loop watches its socket, and the first client has a worker started.
 * How many there shall be is decided in scale.h.
 */
#ifndef SUPERVISOR_POOL_AUTOSCALE_H
#define SUPERVISOR_POOL_AUTOSCALE_H

#include "supervisor/pool/pool.h"
#include "supervisor/pool/scale.h"

/*
 * Looks after all pools; before drain_tick, which may close a socket that is
 * watched here.  Returns when to be called again at the latest.
 */
int64_t autoscale_tick(struct pools *, struct loop *, int64_t now);

/* Whether the pool's number of workers follows demand now, and not a person's wish. */
bool autoscale_is_on(const struct pool *);

/* The last decision and how often there was which; NULL: there was none. */
struct autoscale_record {
	struct scale_look look;
	struct scale_advice advice;
	unsigned long long count[SCALE_WHYS];
};
const struct autoscale_record *autoscale_record(const struct pool *);

/* Hands over what is known of the pool's demand, or takes it from a master before us:
 * upgrade/state.h. */
struct state;
void autoscale_pass(struct state *, struct pool *);

#endif
