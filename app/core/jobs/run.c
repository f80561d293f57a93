/*
 * run.c - one job: its arguments, its handler, how it ended.
 *
 * A handler has the context of a request, made of what stands in the queue: the
 * user who enqueued it, the trace that it belongs to, its arguments as the input.
 */
#include "core/jobs/run.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer/kept.h"
#include "core/jobs/enqueue.h"
#include "core/jobs/kinds.h"
#include "core/journey/traced.h"
#include "core/journey/transact.h"

static struct request *context(
    struct job_run *run, struct application *app, struct arena *arena, struct score *score)
{
	struct request *rq = request_new(app, arena);

	rq->job = run;
	rq->score = score;
	rq->user_id = run->job.user_id;
	rq->started = clock_now();
	trace_start(&rq->trace, run->job.traceparent, NULL);
	traced_begin(rq);
	return rq;
}

static enum job_end handle(struct request *rq)
{
	struct job_run *run = rq->job;
	const char *wrong = jobs_bind(rq, run->kind, run->job.args);
	enum job_end end;

	/* It was right when it was enqueued: the shape has changed since. */
	if (wrong != NULL)
		return job_refused(rq, "its arguments do not fit any more: %s", wrong);
	end = run->kind->run(rq);
	/* For a handler that made its own answer. */
	return end == JOB_DONE && rq->failure != DONE ? job_done(rq) : end;
}

/*
 * The handler's statements, and the one that says that its job is done, are one
 * transaction.  If the answer to COMMIT is lost the job is put back by its token:
 * had it happened, there would be no job by that token any more.
 */
static enum job_end attempt_transaction(struct request *rq)
{
	struct job_run *run = rq->job;
	struct queue_outcome outcome = { .id = run->job.id, .verdict = QUEUE_COMPLETED };
	struct statement over;
	enum job_end end;

	transact_begin(rq);
	end = handle(rq);
	if (end != JOB_DONE) {
		transact_roll_back(rq);
		return end;
	}
	outcome.result = run->result;
	outcome.us = clock_now() - rq->started;
	over = queue_over_statement(rq->arena, &outcome, run->token);
	(void)transact_add(rq, &queue_by_index_statement);
	(void)transact_add(rq, &over);
	transact_commit(rq);
	run->settled = rq->failure == DONE;
	return job_done_with(rq, NULL, 0);
}

/* How often a handler is called whose statements were undone by no fault of its own. */
#define TRIES 2

/* As a request's (journey/handle.c): a deadlock, or a session that was ended, has changed nothing.
 */
static enum job_end handle_in_transaction(struct request *rq)
{
	enum job_end end = attempt_transaction(rq);

	for (int tries = 1; rq->failure == RETRY && tries < TRIES; tries++) {
		if (atomic_load(&rq->job->stop))
			break;
		rq->failure = DONE;
		rq->drops = NULL;
		rq->drops_count = 0;
		rq->job->why = NULL;
		end = attempt_transaction(rq);
	}
	return end;
}

static enum queue_verdict judge(const struct job_run *run, enum job_end end)
{
	switch (end) {
	case JOB_DONE:
		return QUEUE_COMPLETED;
	case JOB_REFUSED:
		return QUEUE_DISCARDED;
	case JOB_STOPPED:
		/* Nobody cancelled it: its process ends, and another one will do it. */
		return atomic_load(&run->cancelled) ? QUEUE_CANCELLED : QUEUE_POSTPONED;
	default:
		break;
	}
	if (atomic_load(&run->cancelled))
		return QUEUE_CANCELLED;
	if (run->unavailable)
		return QUEUE_POSTPONED;
	return run->job.attempt >= run->job.max_attempts ? QUEUE_DISCARDED : QUEUE_RETRY;
}

static const char *name_of(enum queue_verdict verdict)
{
	static const char *const names[] = { [QUEUE_COMPLETED] = "completed",
		[QUEUE_CANCELLED] = "cancelled",
		[QUEUE_DISCARDED] = "failed",
		[QUEUE_RETRY] = "retrying",
		[QUEUE_POSTPONED] = "postponed" };

	return names[verdict];
}

static void log_job(const struct request *rq, const struct job_run *run)
{
	struct log_line line;

	log_begin(&line, run->verdict == QUEUE_DISCARDED ? LOG_ERROR : LOG_INFO, "job");
	log_add_text(&line, "job_id", run->job.id);
	log_add_bytes(&line, "trace_id", rq->trace.parent + 3, 32);
	log_add_text(&line, "instance", rq->app->instance_id);
	log_add_text(&line, "kind", run->kind->name);
	log_add_text(&line, "status", name_of(run->verdict));
	log_add_integer(&line, "attempt", run->job.attempt);
	log_add_ms(&line, "ms", run->us);
	log_add_ms(&line, "waited_ms", run->job.waited_us);
	log_add_ms(&line, "db_ms", rq->db_us);
	log_add_integer(&line, "user", rq->user_id);
	if (run->why != NULL)
		log_add_text(&line, "error", run->why);
	log_end(&line, rq->app->request_log);
}

static void tell_trace(struct request *rq, const struct job_run *run)
{
	traced_end(
	    rq, &(struct span_note){ .name = arena_print(rq->arena, "process %s", run->kind->name),
		    .kind = SPAN_CONSUMER,
		    .failed = run->verdict == QUEUE_RETRY || run->verdict == QUEUE_DISCARDED,
		    .attribute = { { "messaging.operation.type", "process", 0 },
			{ "messaging.destination.name", run->kind->name, 0 },
			{ "messaging.message.id", run->job.id, 0 },
			{ "ostler.job.outcome", name_of(run->verdict), 0 },
			{ "ostler.job.attempt", NULL, run->job.attempt },
			{ "ostler.job.waited_us", NULL, run->job.waited_us } } });
}

void run_job(struct job_run *run, struct application *app, struct arena *arena, struct score *score)
{
	struct request *rq = context(run, app, arena, score);
	int64_t now;

	scoreboard_begin(score, rq->started, (uint64_t)kind_timeout_s(run->kind) * SECOND_US);
	scoreboard_name(score, "JOB", run->kind->name);
	run->verdict = judge(run, run->kind->idempotent ? handle(rq) : handle_in_transaction(rq));
	kept_settle(rq);
	now = clock_now();
	run->us = now - rq->started;
	run->db_us = rq->db_us;
	scoreboard_end(score, rq->started, now, 0,
	    run->verdict == QUEUE_RETRY || run->verdict == QUEUE_DISCARDED);
	if (log_wants(run->verdict == QUEUE_DISCARDED ? LOG_ERROR : LOG_INFO))
		log_job(rq, run);
	if (rq->enqueued)
		jobs_wake(rq);
	if (rq->traced != NULL)
		tell_trace(rq, run);
	request_end(rq);
}
