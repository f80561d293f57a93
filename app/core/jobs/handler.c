/* handler.c - what a job's handler says: progress, and how it ended. */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "core/jobs/run.h"

static struct job_run *run_of(struct request *rq)
{
	if (rq->job == NULL)
		bug("a request is no job");
	return rq->job;
}

/* Why a statement failed, for whoever reads the dead letter. */
static const char *words_of(struct request *rq)
{
	switch (rq->failure) {
	case CONFLICT:
		return arena_print(
		    rq->arena, "the database refused it: constraint %s", rq->failed_constraint);
	case INVALID:
		return "the database does not take a value";
	case TIMED_OUT:
		return "a statement took too long";
	case RETRY:
		return "the database undid it: a deadlock, or its session ended";
	case BROKEN:
		return "a statement is wrong; the log has it";
	default:
		return "the database could not be reached";
	}
}

enum job_end job_done_with(struct request *rq, const char *json, size_t length)
{
	struct job_run *run = run_of(rq);

	if (rq->failure != DONE) {
		run->unavailable = rq->failure == LOST || rq->failure == SILENT ||
				   rq->failure == UNAVAILABLE;
		run->why = words_of(rq);
		return JOB_FAILED;
	}
	if (json != NULL)
		run->result = arena_copy(rq->arena, json, length);
	return JOB_DONE;
}

enum job_end job_done(struct request *rq)
{
	return job_done_with(rq, NULL, 0);
}

static const char *print(struct request *rq, const char *format, va_list values)
{
	char text[1000];

	vsnprintf(text, sizeof(text), format, values);
	return arena_copy(rq->arena, text, strlen(text));
}

enum job_end job_failed(struct request *rq, const char *why, ...)
{
	va_list values;

	/* What a statement said is nearer to the truth than what its caller made of it. */
	if (job_done(rq) == JOB_FAILED)
		return JOB_FAILED;
	va_start(values, why);
	run_of(rq)->why = print(rq, why, values);
	va_end(values);
	return JOB_FAILED;
}

enum job_end job_refused(struct request *rq, const char *why, ...)
{
	va_list values;

	if (job_done(rq) == JOB_FAILED)
		return JOB_FAILED;
	va_start(values, why);
	run_of(rq)->why = print(rq, why, values);
	va_end(values);
	return JOB_REFUSED;
}

bool job_cancelled(struct request *rq)
{
	return atomic_load(&run_of(rq)->stop);
}

enum job_end job_stopped(struct request *rq)
{
	(void)run_of(rq);
	return JOB_STOPPED;
}

void job_progress(struct request *rq, int percent)
{
	atomic_store(&run_of(rq)->progress, percent < 0 ? 0 : percent > 100 ? 100 : percent);
}

long long job_attempt(struct request *rq)
{
	return run_of(rq)->job.attempt;
}

const char *job_id(struct request *rq)
{
	return run_of(rq)->job.id;
}
