/*
 * keeper.c - the thread that holds what the runner has claimed.
 *
 * A handler may be busy for an hour, or stuck for ever: whether its job is still
 * this process's is not for it to say.  So another thread renews the leases, and
 * by the same statement writes the job's progress and hears that it was cancelled.
 * A job whose time is over is given up here: the database is told that it failed,
 * whatever its handler may still do, and the process ends; ostlerd sees the same
 * deadline on the scoreboard and kills what does not.
 */
#include "core/jobs/keeper.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/jobs/kinds.h"
#include "store/queue_upkeep.h"

struct keeper {
	struct hand *hand;
	const struct jobs_options *options;
	struct connection *connection; /* NULL: none just now; LISTENs otherwise */
	struct arena *arena;           /* of one beat */
	int signals, ended;
	int64_t next_beat, next_try, renewed_at;
	int64_t stop_at; /* when the job that runs is told to stop; 0: not asked to */
};

static int64_t deadline_of(const struct keeper *k)
{
	return clock_now() + k->options->lease_ms * 1000 / 4;
}

/* --- the connection --- */

static void lose(struct keeper *k)
{
	connection_close(&k->connection);
	k->next_try = clock_now() + k->options->retry_ms * 1000;
}

static bool connect_now(struct keeper *k)
{
	const struct connection_options options = { .conninfo = k->options->conninfo,
		.application = k->options->application,
		.statement_timeout_ms = k->options->lease_ms / 5 };

	if (k->connection != NULL)
		return true;
	if (clock_now() < k->next_try)
		return false;
	k->connection = connection_open(&options, deadline_of(k));
	if (k->connection != NULL &&
	    connection_script(
		k->connection, QUEUE_SESSION "; LISTEN " QUEUE_CHANNEL, deadline_of(k)) == DONE) {
		/* Nobody could tell us anything meanwhile. */
		hand_wake(k->hand);
		return true;
	}
	lose(k);
	return false;
}

/* --- a beat: what is in hand, copied under its lock --- */

struct grip {
	struct queue_beat *beats;
	size_t beat_count;
	const char **waiting; /* behind a job that is slow: others may have them */
	size_t waiting_count;
	long long token;
};

static const char *copy_id(struct keeper *k, const struct queue_job *job)
{
	return arena_copy(k->arena, job->id, strlen(job->id));
}

static int by_id(const void *a, const void *b)
{
	const struct queue_beat *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/* Takes those that wait out of the hand when the job that runs has done so for a whole beat. */
static void loosen(struct keeper *k, struct grip *grip)
{
	struct hand *hand = k->hand;

	if (hand->run == NULL || clock_now() - hand->run_since < k->options->beat_ms * 1000)
		return;
	grip->waiting = arena_alloc(k->arena, (hand->count + 1) * sizeof(*grip->waiting));
	for (size_t i = hand->next; i < hand->count; i++)
		grip->waiting[grip->waiting_count++] = copy_id(k, &hand->jobs[i]);
	hand->count = hand->next;
}

/* The leases to renew: that of a job that runs for a while each time, the others when it is time.
 */
static void hold(struct keeper *k, struct grip *grip)
{
	struct hand *hand = k->hand;
	bool all = clock_now() - k->renewed_at >= k->options->lease_ms * 1000 / 4;
	size_t from = all || hand->run == NULL ? hand->settled : hand->next - 1;

	if (!all &&
	    (hand->run == NULL || clock_now() - hand->run_since < k->options->beat_ms * 1000))
		return;
	if (all)
		k->renewed_at = clock_now();
	grip->beats = arena_alloc(k->arena, (hand->count + 1) * sizeof(*grip->beats));
	for (size_t i = from; i < hand->count; i++) {
		bool runs = hand->run != NULL && i == hand->next - 1;

		grip->beats[grip->beat_count++] = (struct queue_beat){ .id = copy_id(
									   k, &hand->jobs[i]),
			.progress = runs ? atomic_load(&hand->run->progress) : -1 };
	}
	qsort(grip->beats, grip->beat_count, sizeof(*grip->beats), by_id);
}

static struct grip look(struct keeper *k)
{
	struct grip grip = { 0 };

	pthread_mutex_lock(&k->hand->waiting.lock);
	grip.token = k->hand->token;
	loosen(k, &grip);
	hold(k, &grip);
	pthread_mutex_unlock(&k->hand->waiting.lock);
	return grip;
}

/* What the database said of the job that runs: cancelled, still ours, or not ours any more. */
static void hear_of_job(struct keeper *k, const struct grip *grip, const struct rows *rows)
{
	struct hand *hand = k->hand;
	bool asked = false, ours = false;

	pthread_mutex_lock(&hand->waiting.lock);
	if (hand->run != NULL && hand->token == grip->token) {
		for (size_t i = 0; i < grip->beat_count; i++)
			asked = asked || strcmp(grip->beats[i].id, hand->run->job.id) == 0;
		for (int row = 0; row < rows->count; row++) {
			if (strcmp(queue_beat_id(rows, row), hand->run->job.id) != 0)
				continue;
			ours = true;
			if (queue_beat_cancels(rows, row)) {
				atomic_store(&hand->run->cancelled, true);
				atomic_store(&hand->run->stop, true);
			}
		}
		if (asked && !ours)
			atomic_store(&hand->run->stop, true);
	}
	pthread_mutex_unlock(&hand->waiting.lock);
}

static void beat(struct keeper *k)
{
	struct grip grip = look(k);
	struct queue_claim claim = { .token = grip.token, .lease_ms = k->options->lease_ms };
	struct pipeline p = { 0 };

	if (grip.waiting_count > 0)
		queue_add_release(&p, k->arena, grip.waiting, grip.waiting_count, grip.token);
	if (grip.beat_count > 0)
		queue_add_beat(&p, k->arena, grip.beats, grip.beat_count, &claim);
	if (p.count == 0)
		return;
	if (connection_pipeline(k->connection, &p, deadline_of(k)) != DONE)
		lose(k);
	else if (grip.beat_count > 0)
		hear_of_job(k, &grip, &p.rows[p.count - 1]);
	pipeline_free(&p);
}

/* --- what was done, for the operators' page --- */

static void tell_tallies(struct keeper *k)
{
	struct hand *hand = k->hand;
	size_t count = hand->lanes->count;
	struct upkeep_tally *told = arena_alloc(k->arena, (count + 1) * sizeof(*told));
	size_t filled = 0;

	pthread_mutex_lock(&hand->waiting.lock);
	for (size_t i = 0; i < count; i++) {
		struct tally *tally = &hand->tallies[i];

		if (tally->completed + tally->retried + tally->failed == 0)
			continue;
		told[filled++] = (struct upkeep_tally){ hand->lanes->of[i].kind->name,
			tally->completed, tally->retried, tally->failed, tally->run_us,
			tally->wait_us };
		*tally = (struct tally){ 0 };
	}
	pthread_mutex_unlock(&hand->waiting.lock);
	/* Figures for people: those of a second may be lost with the connection. */
	if (filled > 0 &&
	    upkeep_tell(k->connection, k->arena, told, filled, deadline_of(k)).fate != DONE)
		lose(k);
}

/* --- deadlines and the end --- */

/*
 * The job's time is over.  Its outcome is written now, under its token: should its
 * handler come to an end after all, it finds that the job is not its own any more.
 */
static void give_up_job(struct keeper *k, const struct job_run *run, const char *id)
{
	bool last = run->job.attempt >= run->job.max_attempts;
	struct queue_outcome outcome = { .id = id,
		.verdict = last ? QUEUE_DISCARDED : QUEUE_RETRY,
		.error = arena_print(
		    k->arena, "it took longer than %lld s", kind_timeout_s(run->kind)),
		.us = kind_timeout_s(run->kind) * SECOND_US,
		.delay_ms = last ? 0 : kind_backoff_ms(run->kind, run->job.attempt) };
	struct pipeline p = { 0 };

	log_error("job %s of kind %s: %s", id, run->kind->name, outcome.error);
	queue_add_outcomes(&p, k->arena, &outcome, 1, run->token);
	if (connection_pipeline(k->connection, &p, deadline_of(k)) != DONE)
		lose(k);
	pipeline_free(&p);
}

static void look_at_deadline(struct keeper *k)
{
	struct hand *hand = k->hand;
	struct job_run copy;
	const char *id = NULL;

	pthread_mutex_lock(&hand->waiting.lock);
	if (hand->run != NULL && clock_now() >= hand->run_deadline &&
	    !atomic_exchange(&hand->run->overdue, true)) {
		atomic_store(&hand->run->stop, true);
		copy.kind = hand->run->kind;
		copy.token = hand->run->token;
		copy.job = hand->run->job;
		id = arena_copy(k->arena, copy.job.id, strlen(copy.job.id));
	}
	pthread_mutex_unlock(&hand->waiting.lock);
	if (id == NULL)
		return;
	if (connect_now(k))
		give_up_job(k, &copy, id);
	/* Its handler cannot be trusted to end: nothing else is to wait for it. */
	hand_stop(hand);
	if (k->stop_at == 0)
		k->options->stopping();
	k->stop_at = clock_now();
}

static void take_signal(struct keeper *k)
{
	struct signalfd_siginfo signal;

	if (read(k->signals, &signal, sizeof(signal)) != sizeof(signal) || k->stop_at != 0)
		return;
	k->options->stopping();
	k->stop_at = clock_now() + k->options->finish_ms * 1000;
	hand_stop(k->hand);
}

/*
 * Told to stop, a job may finish; then it is asked to; and what does not hear
 * that for as long again dies with the process, should nobody have killed it.
 */
static void hurry(struct keeper *k)
{
	int64_t now = clock_now();

	if (k->stop_at == 0 || now < k->stop_at)
		return;
	pthread_mutex_lock(&k->hand->waiting.lock);
	if (k->hand->run != NULL)
		atomic_store(&k->hand->run->stop, true);
	pthread_mutex_unlock(&k->hand->waiting.lock);
	if (now >= k->stop_at + k->options->finish_ms * 1000) {
		log_error("a job does not end; its process does");
		raise(SIGKILL); /* as ostlerd would: there is nothing to tidy up with a thread
				   astray */
	}
}

/* --- the loop --- */

static int64_t earliest_deadline(struct keeper *k)
{
	int64_t next = k->next_beat;

	pthread_mutex_lock(&k->hand->waiting.lock);
	if (k->hand->run != NULL && !atomic_load(&k->hand->run->overdue) &&
	    k->hand->run_deadline < next)
		next = k->hand->run_deadline;
	pthread_mutex_unlock(&k->hand->waiting.lock);
	return next;
}

/* Before every sleep: a notification may have come along with another answer. */
static void hear(struct keeper *k)
{
	unsigned heard;

	if (connection_hear(k->connection, &heard) != DONE)
		lose(k);
	else if (heard > 0)
		hand_wake(k->hand);
}

static void keep(struct keeper *k)
{
	look_at_deadline(k);
	hurry(k);
	if (clock_now() < k->next_beat)
		return;
	k->next_beat = clock_now() + k->options->beat_ms * 1000;
	if (connect_now(k))
		beat(k);
	if (k->connection != NULL)
		tell_tallies(k);
}

void keeper_run(struct hand *hand, const struct jobs_options *options, int signals, int ended)
{
	struct keeper k = { .hand = hand,
		.options = options,
		.arena = arena_new(16 << 10),
		.signals = signals,
		.ended = ended };
	struct pollfd watched[] = { { .fd = ended, .events = POLLIN },
		{ .fd = signals, .events = POLLIN }, { .events = POLLIN } };

	while (watched[0].revents == 0) {
		keep(&k);
		if (k.connection != NULL)
			hear(&k);
		arena_reset(k.arena);
		/* What poll(2) shall ignore is negative. */
		watched[2].fd = k.connection != NULL ? connection_descriptor(k.connection) : -1;
		if (poll(watched, 3, clock_ms_until(earliest_deadline(&k))) < 1)
			continue;
		if (watched[1].revents != 0)
			take_signal(&k);
	}
	if (k.connection != NULL)
		tell_tallies(&k);
	connection_close(&k.connection);
	arena_free(&k.arena);
}
