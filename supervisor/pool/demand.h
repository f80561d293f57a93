/*
 * demand.h - what a pool has to do now: how many of its workers are at work, and who waits.
 *
 * A worker that keeps a scoreboard says what its threads do; of any other the
 * kernel tells (sight.h), and how many connections wait it tells of all.
 */
#ifndef SUPERVISOR_POOL_DEMAND_H
#define SUPERVISOR_POOL_DEMAND_H

#include "supervisor/pool/pool.h"
#include "supervisor/pool/scale.h"

/*
 * Looks at each worker of the generation and at its queue, and measures what
 * its pool has a limit for.  All but `active` is filled in.
 */
void demand_look(const struct generation *, int64_t now, struct scale_look *);

/*
 * A number that changes whenever the generation's workers have done something,
 * however short it was.  False: it cannot be seen.
 */
bool demand_turns(const struct generation *, uint64_t *turns) MUST_CHECK;

#endif
