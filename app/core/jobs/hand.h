/*
 * hand.h - what a worker has in hand: shared by the thread that runs jobs and the one that keeps
 * them.
 *
 * The runner takes the jobs of a claim one after the other.  The keeper renews
 * the leases of those that are left, hears of cancellations and deadlines, and
 * gives back those that wait behind a job that turns out to be slow.
 */
#ifndef CORE_JOBS_HAND_H
#define CORE_JOBS_HAND_H

#include "base/waiting.h"
#include "core/jobs/lanes.h"

/* What was done of a kind since it was last told. */
struct tally {
	long long completed, retried, failed, run_us, wait_us;
};

struct hand {
	struct waiting waiting;
	const struct lanes *lanes;
	struct tally *tallies; /* one per lane */

	/*
	 * The claim in hand.  How jobs before SETTLED have ended is in the database;
	 * those before NEXT have been taken, those from COUNT on given back.
	 */
	const struct queue_job *jobs;
	size_t count, next, settled;
	long long token;
	int64_t claimed_at;

	struct job_run *run; /* the job that runs; NULL: none */
	int64_t run_since, run_deadline;
	bool stopping; /* take no more */
	bool woken;    /* there may be work */
	bool ended;    /* the runner has left */
};

void hand_init(struct hand *, const struct lanes *, struct arena *);
void hand_destroy(struct hand *);

/* --- for the runner --- */

/* What a claim got; JOBS stay where they are until the next. */
void hand_hold(struct hand *, const struct queue_job *jobs, size_t count, long long token);

/* The next job of the claim to run, NULL when there is none left or we are stopping. */
const struct queue_job *hand_take(struct hand *);

/* Those that were not taken, which the runner gives back: they are not in hand any more. */
size_t hand_drop(struct hand *, const struct queue_job **first);

void hand_begin(struct hand *, struct job_run *);
void hand_end(struct hand *, const struct lane *, const struct job_run *);

/* How all jobs that were taken have ended is in the database. */
void hand_settle(struct hand *);

/* Waits for work, at most US.  True: somebody said that there is some. */
bool hand_wait(struct hand *, int64_t us);

/* Rests for US, or until we are stopping: for the leader's thread, whom no work wakes. */
void hand_rest(struct hand *, int64_t us);
bool hand_is_stopping(struct hand *);
void hand_leave(struct hand *); /* the runner ends */

/* --- for the keeper --- */

void hand_wake(struct hand *);
void hand_stop(struct hand *); /* take no more; what runs may finish */

#endif
