/* runner.h - the thread that claims jobs and runs them; private to core/jobs. */
#ifndef CORE_JOBS_RUNNER_H
#define CORE_JOBS_RUNNER_H

#include "core/jobs/hand.h"
#include "core/jobs/jobs.h"

struct runner;

struct runner *runner_new(struct application *, const struct jobs_options *, struct lanes *,
    struct hand *, struct score *);
void runner_free(struct runner **);

/* Runs jobs until the hand says to stop; returns when what it did is in the database. */
void runner_run(struct runner *);

#endif
