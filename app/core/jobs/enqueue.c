/*
 * enqueue.c - work for later, and telling those who wait for it.
 *
 * Enqueueing is a statement like any other, so that it is part of whatever
 * transaction the caller is in: a job exists if and only if what it belongs to
 * does.  A NOTIFY in that transaction would make all commits of the server wait
 * for each other (measured: half as many with 32 clients), so workers are told
 * behind it, and find by themselves what they were not told of.
 */
#include "core/jobs/enqueue.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer/json.h"
#include "core/answer/problem.h"
#include "core/answer/record.h"
#include "core/input/inputs.h"
#include "core/jobs/args.h"
#include "core/jobs/kinds.h"
#include "store/queue_entry.h"

/* Workers that were woken look about themselves for longer than this: pace_idle_us. */
#define SPARED_US (50 * SECOND_US / 1000)

/* So many in one statement. */
#define BULK 1000

/* What all jobs of this kind have in common, when this request enqueues them. */
static struct queue_entry entry_of(
    struct request *rq, const struct job_kind *kind, const struct enqueue_wishes *wishes)
{
	return (struct queue_entry){ .kind = kind->name,
		.priority = wishes->priority != 0 ? wishes->priority : 100,
		.max_attempts = kind_attempts(kind),
		.run_at = wishes->run_at,
		.delay_ms = wishes->delay_ms,
		.user_id = rq->user_id,
		.traceparent = rq->trace.parent };
}

static const char *send(struct request *rq, struct queue_entry *entry)
{
	char id[UUID_TEXT];
	struct statement statement;
	const struct rows *rows;

	uuid_make(id);
	entry->id = id;
	statement = queue_entry_statement(rq->arena, entry);
	rows = query_run(rq, &statement);
	if (rows->fate != DONE)
		return NULL;
	rq->enqueued = true;
	return rows_text(rows, 0, 0);
}

/* Arguments come from our own code: what does not fit is a bug there, and costs this request. */
static bool fits(struct request *rq, const struct job_kind *kind, const void *arguments)
{
	const struct binder binder = { rq->arena, rq->app->patterns };
	const char *wrong = args_check(&binder, kind->takes, arguments);

	if (wrong == NULL)
		return true;
	log_error("a job of kind %s was not enqueued: %s", kind->name, wrong);
	if (rq->failure == DONE)
		rq->failure = BROKEN;
	return false;
}

static void write_args(struct buffer *out, const struct job_kind *kind, const void *arguments)
{
	if (kind->takes != NULL)
		record_write_sparse(out, kind->takes, arguments);
	else
		buffer_add_text(out, "{}");
}

const char *enqueue_when(struct request *rq, const struct job_kind *kind, const void *arguments,
    const struct enqueue_wishes *wishes)
{
	struct queue_entry entry = entry_of(rq, kind, wishes);
	struct buffer args;

	if (!fits(rq, kind, arguments))
		return NULL;
	buffer_start(&args, rq->arena, 256);
	write_args(&args, kind, arguments);
	buffer_add_char(&args, '\0');
	entry.args = args.data;
	entry.unique = args_unique(rq->arena, kind->unique, kind->takes, arguments);
	return send(rq, &entry);
}

const char *enqueue(struct request *rq, const struct job_kind *kind, const void *arguments)
{
	return enqueue_when(rq, kind, arguments, &(struct enqueue_wishes){ 0 });
}

/* --- many --- */

static bool send_bulk(
    struct request *rq, const struct job_kind *kind, const char *arguments, size_t count)
{
	struct queue_entry entry = entry_of(rq, kind, &(struct enqueue_wishes){ 0 });
	size_t size = kind->takes != NULL ? kind->takes->size : 0;
	const char *args[BULK];
	char ids[BULK][UUID_TEXT];
	struct statement statement;
	struct buffer text;

	for (size_t i = 0; i < count; i++) {
		if (!fits(rq, kind, arguments + i * size))
			return false;
		uuid_make(ids[i]);
		buffer_start(&text, rq->arena, 64);
		write_args(&text, kind, arguments + i * size);
		buffer_add_char(&text, '\0');
		args[i] = text.data;
	}
	statement = queue_entries_statement(
	    rq->arena, &entry, (const char(*)[UUID_TEXT])ids, args, count);
	return query_run(rq, &statement)->fate == DONE;
}

bool enqueue_many(
    struct request *rq, const struct job_kind *kind, const void *arguments, size_t count)
{
	const char *next = arguments;
	size_t size = kind->takes != NULL ? kind->takes->size : 0;
	size_t step = kind->unique != NULL ? 1 : BULK;

	for (size_t done = 0; done < count; done += step) {
		size_t now = count - done < step ? count - done : step;

		if (step == 1 ? enqueue(rq, kind, next) == NULL : !send_bulk(rq, kind, next, now))
			return false;
		next += now * size;
	}
	rq->enqueued = true;
	return true;
}

/* --- by name --- */

const char *jobs_bind(struct request *rq, const struct job_kind *kind, const char *json)
{
	struct route *route = arena_alloc(rq->arena, sizeof(*route));
	const char *wrong;

	/* A job's arguments are bound as a request's body is, by a route that has its name for a
	 * path. */
	*route = (struct route){ .path = kind->name, .method = POST, .takes = kind->takes };
	rq->route = route;
	rq->method = POST;
	wrong = inputs_take(rq, json, strlen(json));
	if (wrong == NULL && rq->faults.count > 0)
		wrong = arena_print(
		    rq->arena, "%s %s", rq->faults.first->pointer + 1, rq->faults.first->detail);
	return wrong;
}

const char *enqueue_named(
    struct request *rq, const char *name, const char *json, const char **wrong)
{
	const struct job_kind *kind = kinds_find(rq->app->features, name);
	struct request *checked = request_new(rq->app, rq->arena);
	const char *closest;

	if (kind == NULL) {
		closest = kinds_closest(rq->arena, rq->app->features, name);
		*wrong = arena_print(rq->arena, "there is no job \"%s\"%s%s%s", name,
		    closest != NULL ? "; did you mean \"" : "", closest != NULL ? closest : "",
		    closest != NULL ? "\"?" : "");
		return NULL;
	}
	*wrong = jobs_bind(checked, kind, json);
	return *wrong == NULL ? enqueue(rq, kind, checked->input) : NULL;
}

/* --- telling --- */

void enqueue_wake(struct request *rq)
{
	rq->enqueued = true;
}

void jobs_wake(struct request *rq)
{
	long long now = clock_now(), last = atomic_load(&rq->app->jobs_woken_at);

	if (now - last < SPARED_US ||
	    !atomic_compare_exchange_strong(&rq->app->jobs_woken_at, &last, now))
		return;
	/* It may fail: workers look by themselves once a second. */
	rows_free(db_run(rq->app->db, rq->arena, &queue_wake_statement));
}

struct queued_task {
	const char *task_id, *status;
};

static const char *const queued[] = { "queued", NULL };

/* clang-format off */
const struct shape queued_task = SHAPE(struct queued_task,
	{ FIELD_AS(struct queued_task, task_id, UUID) },
	{ FIELD(struct queued_task, status), .one_of = queued });
/* clang-format on */

int reply_task(struct request *rq, const char *job)
{
	struct buffer body;

	if (rq->failure != DONE || job == NULL)
		return problem_of_failure(rq);
	buffer_start(&body, rq->arena, 128);
	json_open(&body, '{');
	json_key_text(&body, "task_id", job);
	json_key_text(&body, "status", "queued");
	json_close(&body, '}');
	reply_location(rq, arena_print(rq->arena, "/api/task/%s", job));
	reply_retry_after(rq, 1);
	return reply_json(rq, 202, body.data, body.length);
}
