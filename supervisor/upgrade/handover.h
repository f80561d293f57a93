/*
 * handover.h - all that one ostlerd hands over to the next, in its order.
 *
 * Each owner describes its own part (state.h); here it says only whose comes when:
 * what others refer to comes before them.
 */
#ifndef SUPERVISOR_UPGRADE_HANDOVER_H
#define SUPERVISOR_UPGRADE_HANDOVER_H

#include "supervisor/conf/edition.h"
#include "supervisor/process/guardian.h"
#include "supervisor/process/spawn.h"
#include "supervisor/upgrade/upgrade.h"

struct control;
struct notify;
struct state;
struct superior;

struct handover {
	/* These are there, to be written or to be filled. */
	struct arena *arena;
	struct loop *loop;
	struct pools *pools;
	struct spawner *spawner;
	struct upgrade_wish wish; /* of the upgrade after this */

	/* And these are written, or made when they are read. */
	struct edition *edition; /* that ostlerd began with */
	struct notify *notify;
	struct superior *superior;
	struct control *control;
	struct guardian_before guardian;
	int pid_file; /* -1: there is none */
	int64_t looked;
	bool all_ready_told;
};

/* Writes it all, or makes it; what is wrong is found in the state. */
void handover_pass(struct state *, struct handover *);

#endif
