/* keeper.h - the thread that holds what the runner has claimed; private to core/jobs. */
#ifndef CORE_JOBS_KEEPER_H
#define CORE_JOBS_KEEPER_H

#include "core/jobs/hand.h"
#include "core/jobs/jobs.h"

/*
 * Keeps leases, hears, and reads signals from the descriptor SIGNALS until the
 * runner has left, which it says by making ENDED readable (an eventfd).
 */
void keeper_run(struct hand *, const struct jobs_options *, int signals, int ended);

#endif
