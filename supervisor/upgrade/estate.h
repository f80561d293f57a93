/*
 * estate.h - the pools on their way from one ostlerd to the next.
 *
 * All of the table: configurations that somebody follows, listeners, pools, their
 * generations and workers, each with what it is known by: a process, a pipe, a
 * scoreboard, a cgroup.  What the settings mean is worked out anew, in the next
 * ostlerd's way; should that be impossible, the upgrade is.
 */
#ifndef SUPERVISOR_UPGRADE_ESTATE_H
#define SUPERVISOR_UPGRADE_ESTATE_H

#include "supervisor/conf/edition.h"
#include "supervisor/pool/pool.h"

struct spawner;
struct state;

struct estate {
	struct arena *arena; /* holds the pools' inherited sockets */
	struct pools *pools;
	struct spawner *spawner; /* knows ledgers, captures, cgroups and the loop */
	struct edition *started; /* that ostlerd began with; set when the state is read */
};

/* Writes it, or fills it: there are no pools yet then. */
void estate_pass(struct state *, struct estate *);

#endif
