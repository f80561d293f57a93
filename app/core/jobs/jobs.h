/*
 * jobs.h - a process that runs jobs: three threads, and what each is for.
 *
 * The runner claims jobs and runs them, one at a time: more at once are more
 * processes, so that one that is killed, or stuck, takes no other with it.  The
 * keeper holds what the runner has claimed: it renews leases, hears who wakes and
 * who cancels, and reads the signals.  The leader thread does, if no other process
 * does, what one must do for all.
 */
#ifndef CORE_JOBS_JOBS_H
#define CORE_JOBS_JOBS_H

#include "core/serve/application.h"

struct jobs_options {
	const char *conninfo, *application; /* of the connections that work on the queue */
	const char *worker;                 /* who we are, for people: host:pid */
	long long batch_most;               /* jobs of one claim */
	long long lease_ms;                 /* a claim is lost when it is not renewed for so long */
	long long beat_ms;                  /* between two looks at the job that runs */
	long long idle_ms;                  /* longest sleep when nobody wakes us */
	long long upkeep_ms;                /* between two rounds of the leader's */
	long long retry_ms;                 /* before the database is asked again after a failure */
	long long finish_ms;    /* what a stop leaves the job that runs, before it is told */
	long long history_days; /* that what has ended is kept */
	bool once;              /* leave when there is nothing to do */
	void (*ready)(void), (*stopping)(void);
};

/* Returns when told to stop (SIGTERM), or, once, when nothing is left to do.  False: it failed. */
bool jobs_run(struct application *, const struct jobs_options *);

#endif
