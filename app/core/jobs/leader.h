/* leader.h - what one process at a time does for all that run jobs; private to core/jobs. */
#ifndef CORE_JOBS_LEADER_H
#define CORE_JOBS_LEADER_H

#include "core/jobs/hand.h"
#include "core/jobs/jobs.h"

struct leader;

struct leader *leader_new(struct application *, const struct jobs_options *, const struct lanes *);
void leader_free(struct leader **);

/*
 * One round: tries to lead, or does what is due.  Returns how long, in µs, until
 * there is a next one to do.
 */
int64_t leader_round(struct leader *);

/* For who does not stay: promotes and rescues once, whoever leads. */
bool leader_serve_once(struct leader *);

#endif
