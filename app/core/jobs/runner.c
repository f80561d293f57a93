/*
 * runner.c - the thread that claims jobs and runs them.
 *
 * A turn is one round trip: it says how the jobs of the last claim have ended and
 * claims the next ones, in one transaction.  When its answer is lost nobody knows
 * whether it happened, but both halves can be asked again: an outcome that was
 * written meets no row, and what was claimed is found by its token.
 */
#include "core/jobs/runner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/jobs/kinds.h"
#include "core/jobs/turn.h"

/* Outcomes are written at least so often, however many jobs of the claim are left. */
#define UNSETTLED_US (50 * SECOND_US / 1000)

struct runner *runner_new(struct application *app, const struct jobs_options *options,
    struct lanes *lanes, struct hand *hand, struct score *score)
{
	struct runner *r = calloc(1, sizeof(*r));
	size_t most = (size_t)options->batch_most;

	if (r == NULL)
		die("out of memory");
	*r = (struct runner){ .app = app,
		.options = options,
		.lanes = lanes,
		.hand = hand,
		.score = score,
		.work = arena_new(64 << 10),
		.claim = arena_new(64 << 10),
		.next = arena_new(64 << 10),
		.outcomes = calloc(most, sizeof(*r->outcomes)) };
	/* Tokens of two processes must differ, and nobody should guess one. */
	if (r->outcomes == NULL || getrandom(&r->token, sizeof(r->token), 0) != sizeof(r->token))
		die("cannot begin: no memory, or no random numbers");
	r->token &= INT64_MAX >> 1;
	return r;
}

void runner_free(struct runner **r)
{
	if (*r == NULL)
		return;
	connection_close(&(*r)->connection);
	arena_free(&(*r)->work);
	arena_free(&(*r)->claim);
	arena_free(&(*r)->next);
	free((*r)->outcomes);
	free(*r);
	*r = NULL;
}

/* --- one job --- */

/* Texts of the job's arena, which ends before the outcome is written. */
static const char *keep(struct runner *r, const char *text)
{
	return text != NULL ? arena_copy(r->claim, text, strlen(text)) : NULL;
}

static void note_outcome(struct runner *r, const struct job_run *run)
{
	struct queue_outcome *outcome = &r->outcomes[r->unsettled];

	if (r->unsettled++ == 0) {
		r->unsettled_since = clock_now();
		r->pressing = false;
	}
	r->pressing = r->pressing || !run->kind->idempotent || run->job.begun;
	*outcome = (struct queue_outcome){ .id = run->job.id,
		.verdict = run->verdict,
		.result = keep(r, run->result),
		.error = keep(r, run->why),
		.us = run->us };
	if (run->verdict == QUEUE_RETRY)
		outcome->delay_ms = kind_backoff_ms(run->kind, run->job.attempt);
	else if (run->verdict == QUEUE_POSTPONED)
		outcome->delay_ms = run->unavailable ? r->options->retry_ms : 0;
}

static void run_one(struct runner *r, const struct queue_job *job, struct lane *lane)
{
	struct job_run run = { .kind = lane->kind, .job = *job, .token = r->held };

	atomic_init(&run.progress, -1);
	if (job->cancel) {
		run.verdict = QUEUE_CANCELLED;
		run.us = -1;
		note_outcome(r, &run);
		return;
	}
	run.job.attempt += !job->begun;
	hand_begin(r->hand, &run);
	run_job(&run, r->app, r->work, r->score);
	hand_end(r->hand, lane, &run);
	lane_ran(lane, run.us);
	if (!run.settled)
		note_outcome(r, &run);
	r->rest = r->rest || run.unavailable;
	arena_reset(r->work);
}

/*
 * Whether outcomes are written before another job begins.  Behind the last one the
 * next claim says how they have ended, in the same round trip.  What has an effect
 * outside of this queue is not to be done again because a neighbour kills us, and
 * what has begun an attempt is not to need a second one; the others are written in
 * time.
 */
static bool must_settle(const struct runner *r)
{
	return r->unsettled > 0 && (r->pressing || clock_now() - r->unsettled_since > UNSETTLED_US);
}

static void work_through(struct runner *r)
{
	const struct queue_job *job, *left;
	size_t count;

	while ((job = hand_take(r->hand)) != NULL) {
		struct lane *lane = lanes_find(r->lanes, job->kind);
		struct queue_job begun = *job;

		if (!job->cancel && !job->begun && lane_is_slow(lane)) {
			if (!turn_begin(r, &begun)) {
				turn_release(r, job, 1);
				continue;
			}
		} else if (must_settle(r)) {
			turn_settle(r);
		}
		run_one(r, &begun, lane);
	}
	count = hand_drop(r->hand, &left);
	if (count > 0)
		turn_release(r, left, count);
}

/* --- the loop --- */

/* What ended well must not be done again because we left too early. */
static void settle_at_last(struct runner *r)
{
	int64_t until = clock_now() + r->options->lease_ms * 1000 / 2;
	struct timespec pause = { .tv_sec = r->options->retry_ms / 1000,
		.tv_nsec = r->options->retry_ms % 1000 * 1000000 };

	while (r->unsettled > 0 && clock_now() < until)
		if (!turn_connect(r) || !turn_settle(r))
			nanosleep(&pause, NULL);
}

void runner_run(struct runner *r)
{
	int64_t slept = 0;

	while (!hand_is_stopping(r->hand)) {
		int got = turn_connect(r) ? turn_ask(r) : -1;

		if (got > 0) {
			work_through(r);
			slept = 0;
		}
		if (got < 0 || r->rest) {
			/* The server, or the connections of handlers, need a moment. */
			if (r->rest)
				(void)turn_settle(r);
			(void)hand_wait(r->hand, r->options->retry_ms * 1000);
			r->rest = false;
		}
		if (got != 0)
			continue;
		if (r->options->once)
			break;
		slept = pace_idle_us(slept, r->options->idle_ms * 1000);
		if (hand_wait(r->hand, slept))
			slept = 0;
	}
	settle_at_last(r);
	hand_leave(r->hand);
}
