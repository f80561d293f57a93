/*
 * run.h - one job: its arguments, its handler, how it ended; private to core/.
 *
 * While it runs, the keeper's thread reads its progress and tells it to stop.
 */
#ifndef CORE_JOBS_RUN_H
#define CORE_JOBS_RUN_H

#include <stdatomic.h>

#include "core/journey/request.h"
#include "store/queue.h"

struct job_run {
	const struct job_kind *kind;
	struct queue_job job; /* as it was claimed; attempt counts this one */
	long long token;
	atomic_int progress;   /* percent; -1: nothing was said */
	atomic_bool stop;      /* it should end soon, for whatever reason */
	atomic_bool cancelled; /* because somebody asked for it */
	atomic_bool overdue;   /* because its time was over: it is given up */

	/* How the handler ended. */
	const char *result, *why; /* in the request's arena */
	bool settled;     /* its own transaction has said how it ended, or it was taken from us */
	bool unavailable; /* the database failed it, not its own doing */
	enum queue_verdict verdict;
	int64_t us, db_us;
};

/*
 * Runs it in ARENA, which the caller resets when result and why have been read.
 * SCORE is the thread's slot on the scoreboard.
 */
void run_job(struct job_run *, struct application *, struct arena *, struct score *);

#endif
