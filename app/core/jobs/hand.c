/* hand.c - what a worker has in hand. */
#include "core/jobs/hand.h"

#include "base/clock.h"
#include "core/jobs/kinds.h"

void hand_init(struct hand *hand, const struct lanes *lanes, struct arena *arena)
{
	*hand = (struct hand){ .lanes = lanes,
		.tallies = arena_alloc(arena, (lanes->count + 1) * sizeof(*hand->tallies)) };
	waiting_init(&hand->waiting);
}

void hand_destroy(struct hand *hand)
{
	waiting_destroy(&hand->waiting);
}

/* --- for the runner --- */

void hand_hold(struct hand *hand, const struct queue_job *jobs, size_t count, long long token)
{
	pthread_mutex_lock(&hand->waiting.lock);
	hand->jobs = jobs;
	hand->count = count;
	hand->next = hand->settled = 0;
	hand->token = token;
	hand->claimed_at = clock_now();
	pthread_mutex_unlock(&hand->waiting.lock);
}

const struct queue_job *hand_take(struct hand *hand)
{
	const struct queue_job *job = NULL;

	pthread_mutex_lock(&hand->waiting.lock);
	if (!hand->stopping && hand->next < hand->count)
		job = &hand->jobs[hand->next++];
	pthread_mutex_unlock(&hand->waiting.lock);
	return job;
}

size_t hand_drop(struct hand *hand, const struct queue_job **first)
{
	size_t left;

	pthread_mutex_lock(&hand->waiting.lock);
	*first = hand->jobs + hand->next;
	left = hand->count - hand->next;
	hand->count = hand->next;
	pthread_mutex_unlock(&hand->waiting.lock);
	return left;
}

void hand_begin(struct hand *hand, struct job_run *run)
{
	pthread_mutex_lock(&hand->waiting.lock);
	hand->run = run;
	hand->run_since = clock_now();
	hand->run_deadline = hand->run_since + kind_timeout_s(run->kind) * SECOND_US;
	pthread_mutex_unlock(&hand->waiting.lock);
}

void hand_end(struct hand *hand, const struct lane *lane, const struct job_run *run)
{
	struct tally *tally = &hand->tallies[lane - hand->lanes->of];

	pthread_mutex_lock(&hand->waiting.lock);
	hand->run = NULL;
	tally->completed += run->verdict == QUEUE_COMPLETED;
	tally->retried += run->verdict == QUEUE_RETRY;
	tally->failed += run->verdict == QUEUE_DISCARDED;
	tally->run_us += run->us;
	tally->wait_us += run->job.waited_us;
	pthread_mutex_unlock(&hand->waiting.lock);
}

void hand_settle(struct hand *hand)
{
	pthread_mutex_lock(&hand->waiting.lock);
	hand->settled = hand->next;
	pthread_mutex_unlock(&hand->waiting.lock);
}

bool hand_wait(struct hand *hand, int64_t us)
{
	int64_t deadline = clock_now() + us;
	bool woken;

	pthread_mutex_lock(&hand->waiting.lock);
	while (!hand->woken && !hand->stopping && clock_now() < deadline)
		(void)waiting_until(&hand->waiting, deadline);
	woken = hand->woken;
	hand->woken = false;
	pthread_mutex_unlock(&hand->waiting.lock);
	return woken;
}

void hand_rest(struct hand *hand, int64_t us)
{
	int64_t deadline = clock_now() + us;

	pthread_mutex_lock(&hand->waiting.lock);
	while (!hand->stopping && clock_now() < deadline)
		(void)waiting_until(&hand->waiting, deadline);
	pthread_mutex_unlock(&hand->waiting.lock);
}

bool hand_is_stopping(struct hand *hand)
{
	bool stopping;

	pthread_mutex_lock(&hand->waiting.lock);
	stopping = hand->stopping;
	pthread_mutex_unlock(&hand->waiting.lock);
	return stopping;
}

void hand_leave(struct hand *hand)
{
	pthread_mutex_lock(&hand->waiting.lock);
	hand->ended = true;
	pthread_mutex_unlock(&hand->waiting.lock);
}

/* --- for the keeper --- */

void hand_wake(struct hand *hand)
{
	pthread_mutex_lock(&hand->waiting.lock);
	hand->woken = true;
	pthread_cond_broadcast(&hand->waiting.changed);
	pthread_mutex_unlock(&hand->waiting.lock);
}

void hand_stop(struct hand *hand)
{
	pthread_mutex_lock(&hand->waiting.lock);
	hand->stopping = true;
	pthread_cond_broadcast(&hand->waiting.changed);
	pthread_mutex_unlock(&hand->waiting.lock);
}
