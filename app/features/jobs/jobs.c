/* jobs.c - the queue, for operators: what waits, runs and failed, and what to do about it. */
#include <string.h>

#include "features/jobs/task.h"

#define PAGE_DEFAULT "50"

struct job {
	const char *id, *kind, *status, *error, *worker, *trace_id;
	const char *created_at, *run_at, *started_at, *finished_at;
	long long progress, attempt, max_attempts, priority, ms;
	const struct anything *args, *result;
};
struct anything {
	const char *nothing;
};
struct job_list {
	const char *kind, *status;
	long long limit;
	struct cursor after;
};
struct kind_name {
	const char *kind;
};
struct kind_of_jobs {
	const char *kind, *paused_at;
	long long queued, scheduled, running, retrying, failed;
	double oldest_seconds, completed_per_minute, retried_per_minute, failed_per_minute;
	double mean_ms, mean_wait_ms;
};
struct redrive {
	const char *kind;
	long long limit;
};
struct redriven {
	long long redriven;
};

/* clang-format off */
static const char *const statuses[] = { "queued", "running", "retrying", "completed", "failed", "cancelled", NULL };

static const struct shape anything = SHAPE_NAMED("job_object", struct anything, END);

static const struct shape job = SHAPE(struct job,
	{ FIELD_AS(struct job, id, UUID) },
	{ FIELD(struct job, kind) },
	{ FIELD(struct job, status), .one_of = statuses },
	{ FIELD(struct job, progress), .nullable = true },
	{ FIELD(struct job, attempt) },
	{ FIELD(struct job, max_attempts) },
	{ FIELD(struct job, priority), .doc = "The lowest first, among jobs of its kind." },
	{ FIELD_AS(struct job, args, OBJECT), .of = &anything },
	{ FIELD_AS(struct job, result, OBJECT), .of = &anything, .nullable = true },
	{ FIELD(struct job, error), .nullable = true },
	{ FIELD(struct job, worker), .nullable = true, .doc = "Host and process that run it." },
	{ FIELD(struct job, trace_id), .nullable = true, .doc = "Of the request that enqueued it." },
	{ FIELD(struct job, ms), .nullable = true, .doc = "That the last attempt took." },
	{ FIELD_AS(struct job, created_at, TIME) },
	{ FIELD_AS(struct job, run_at, TIME), .nullable = true, .doc = "Not before; of one that waits." },
	{ FIELD_AS(struct job, started_at, TIME), .nullable = true },
	{ FIELD_AS(struct job, finished_at, TIME), .nullable = true });

static const struct shape job_list = SHAPE(struct job_list,
	{ FIELD(struct job_list, kind), .max = 100 },
	{ FIELD(struct job_list, status), .one_of = statuses },
	{ FIELD(struct job_list, limit), .min = 1, .max = 200, .preset = PAGE_DEFAULT },
	{ FIELD(struct job_list, after), .doc = "The \"next\" of the page before." });

static const struct shape kind_name = SHAPE(struct kind_name,
	{ FIELD(struct kind_name, kind), .min = 1, .max = 100, .required = true });

static const struct shape kind_of_jobs = SHAPE(struct kind_of_jobs,
	{ FIELD(struct kind_of_jobs, kind) },
	{ FIELD_AS(struct kind_of_jobs, paused_at, TIME), .nullable = true },
	{ FIELD(struct kind_of_jobs, queued), .doc = "That could run now." },
	{ FIELD(struct kind_of_jobs, scheduled), .doc = "That wait for their time." },
	{ FIELD(struct kind_of_jobs, running) },
	{ FIELD(struct kind_of_jobs, retrying), .doc = "That failed and wait for the next attempt." },
	{ FIELD(struct kind_of_jobs, failed), .doc = "Dead letters." },
	{ FIELD(struct kind_of_jobs, oldest_seconds), .nullable = true, .doc = "How long the oldest that could run has waited." },
	{ FIELD(struct kind_of_jobs, completed_per_minute), .doc = "Over the last five minutes, as are the following." },
	{ FIELD(struct kind_of_jobs, retried_per_minute) },
	{ FIELD(struct kind_of_jobs, failed_per_minute) },
	{ FIELD(struct kind_of_jobs, mean_ms), .nullable = true, .doc = "That an attempt took." },
	{ FIELD(struct kind_of_jobs, mean_wait_ms), .nullable = true, .doc = "That it had waited." });

static const struct shape redrive = SHAPE(struct redrive,
	{ FIELD(struct redrive, kind), .max = 100, .doc = "Only those of this kind." },
	{ FIELD(struct redrive, limit), .min = 1, .max = 10000, .preset = "1000" });

static const struct shape redriven = SHAPE(struct redriven,
	{ FIELD(struct redriven, redriven), .doc = "How many wait again." });
/* clang-format on */

/* --- looking --- */

/* An id begins with its time: newest first is the order of the ids, backwards. */
#define HOT                                                                               \
	"SELECT id, kind, state, progress, attempt, max_attempts, priority, args,"        \
	" NULL::json AS result, last_error, locked_by, traceparent, NULL::integer AS ms," \
	" created_at, run_at, started_at, NULL::timestamptz AS finished_at FROM job"
#define ENDED                                                                      \
	"SELECT id, kind, state, progress, attempt, max_attempts, priority, args," \
	" result, last_error, NULL::text AS locked_by, traceparent, ms,"           \
	" created_at, NULL::timestamptz AS run_at, started_at, finished_at FROM job_done"
#define SHOWN                                                                                     \
	"SELECT id, kind, " STATUS " AS status, progress, attempt, max_attempts, priority, args," \
	" result, last_error AS error, locked_by AS worker,"                                      \
	" substr(traceparent, 4, 32) AS trace_id, ms, created_at, run_at, started_at, finished_at"
#define PAGE                                                                   \
	" WHERE ($1::text IS NULL OR kind = $1)"                               \
	" AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')" \
	" ORDER BY id DESC LIMIT $3::bigint + 1"

/* Each is of its own part of the queue, so that none is sought among what it cannot be. */
static const struct rows *find_page(struct request *rq, const struct job_list *in)
{
	const char *status = in->status != NULL ? in->status : "";

	if (strcmp(status, "failed") == 0)
		return query(rq, SHOWN " FROM (" ENDED " WHERE state = 'discarded') AS every" PAGE,
		    in->kind, in->after.uuid, in->limit);
	if (strcmp(status, "completed") == 0 || strcmp(status, "cancelled") == 0)
		return query(rq,
		    SHOWN " FROM (" ENDED " WHERE state = $4::job_state) AS every" PAGE, in->kind,
		    in->after.uuid, in->limit, status);
	if (*status != '\0')
		return query(rq, SHOWN " FROM (" HOT " WHERE " STATUS " = $4) AS every" PAGE,
		    in->kind, in->after.uuid, in->limit, status);
	return query(rq, SHOWN " FROM (" HOT " UNION ALL " ENDED ") AS every" PAGE, in->kind,
	    in->after.uuid, in->limit);
}

static int list_jobs(struct request *rq)
{
	const struct job_list *in = input(rq);

	return reply_list(rq, find_page(rq, in), in->limit);
}

static int read_job(struct request *rq)
{
	const struct task_id *in = input(rq);

	return reply_row(rq, query(rq,
				 SHOWN " FROM (" HOT " WHERE id = $1::uuid UNION ALL " ENDED
				       " WHERE id = $1::uuid) AS every",
				 in->id));
}

/* Kinds that somebody runs, and those that have jobs and nobody who does. */
static int list_kinds(struct request *rq)
{
	const struct rows *rows = query(rq,
	    "SELECT kind, paused_at, coalesce(queued, 0) AS queued,"
	    " coalesce(scheduled, 0) AS scheduled, coalesce(running, 0) AS running,"
	    " coalesce(retrying, 0) AS retrying, coalesce(dead.failed, 0) AS failed,"
	    " extract(epoch FROM now() - oldest)::float8 AS oldest_seconds,"
	    " coalesce(completed, 0) / $1::float8 AS completed_per_minute,"
	    " coalesce(retried, 0) / $1 AS retried_per_minute,"
	    " coalesce(told.failed, 0) / $1 AS failed_per_minute,"
	    " run_us / nullif(attempts, 0) / 1000.0 AS mean_ms,"
	    " wait_us / nullif(attempts, 0) / 1000.0 AS mean_wait_ms"
	    " FROM job_kind FULL JOIN (SELECT kind,"
	    "   count(*) FILTER (WHERE state = 'available') AS queued,"
	    "   count(*) FILTER (WHERE state = 'scheduled') AS scheduled,"
	    "   count(*) FILTER (WHERE state = 'running') AS running,"
	    "   count(*) FILTER (WHERE state = 'retryable') AS retrying,"
	    "   min(run_at) FILTER (WHERE state = 'available') AS oldest FROM job GROUP BY kind"
	    "  ) AS waiting USING (kind)"
	    " LEFT JOIN (SELECT kind, sum(completed) AS completed, sum(retried) AS retried,"
	    "   sum(failed) AS failed, sum(completed + retried + failed) AS attempts,"
	    "   sum(run_us) AS run_us, sum(wait_us) AS wait_us FROM job_minute"
	    "   WHERE minute > now() - $1 * interval '1 minute' GROUP BY kind) AS told USING (kind)"
	    " LEFT JOIN (SELECT kind, count(*) AS failed FROM job_done"
	    "   WHERE state = 'discarded' GROUP BY kind) AS dead USING (kind)"
	    " ORDER BY kind",
	    5.0);

	return reply_list(rq, rows, rows->count);
}

/* --- doing something about it --- */

static int pause_kind(struct request *rq)
{
	const struct kind_name *in = input(rq);

	return reply_done(
	    rq, query(rq,
		    "UPDATE job_kind SET paused_at = coalesce(paused_at, now()) WHERE kind = $1"
		    " RETURNING kind",
		    in->kind));
}

static int resume_kind(struct request *rq)
{
	const struct kind_name *in = input(rq);
	const struct rows *rows = query(
	    rq, "UPDATE job_kind SET paused_at = NULL WHERE kind = $1 RETURNING kind", in->kind);

	enqueue_wake(rq);
	return reply_done(rq, rows);
}

/* Out of the history, with all its attempts before it; the error stays until another comes. */
#define AGAIN                                                                                   \
	" INSERT INTO job (id, kind, priority, max_attempts, created_at, user_id, traceparent," \
	" args, last_error) SELECT id, kind, priority, max_attempts, created_at, user_id,"      \
	" traceparent, args, last_error FROM dead RETURNING id"

static int retry_job(struct request *rq)
{
	const struct task_id *in = input(rq);
	const struct rows *hurried, *revived, *rows;

	hurried = query(rq,
	    "UPDATE job SET state = 'available', run_at = now()"
	    " WHERE id = $1::uuid AND state IN ('scheduled', 'retryable') RETURNING id",
	    in->id);
	revived = query(rq,
	    "WITH dead AS (DELETE FROM job_done WHERE id = $1::uuid"
	    " AND state IN ('discarded', 'cancelled') RETURNING *)" AGAIN,
	    in->id);
	rows = task_find(rq, in->id);
	if (rows->count > 0 && hurried->count + revived->count == 0)
		return reply_problem(
		    rq, 409, "It is %s: there is nothing to try again.", rows_text(rows, 0, 2));
	enqueue_wake(rq);
	return task_accepted(rq, rows);
}

static int redrive_jobs(struct request *rq)
{
	const struct redrive *in = input(rq);
	const struct rows *rows = query(rq,
	    "WITH chosen AS MATERIALIZED (SELECT id, finished_at FROM job_done"
	    "  WHERE state = 'discarded' AND ($1::text IS NULL OR kind = $1)"
	    "  ORDER BY finished_at, id LIMIT $2::bigint FOR UPDATE SKIP LOCKED),"
	    " dead AS (DELETE FROM job_done USING chosen WHERE job_done.id = chosen.id"
	    "  AND job_done.finished_at = chosen.finished_at RETURNING job_done.*),"
	    " again AS (" AGAIN ") SELECT count(*) AS redriven FROM again",
	    in->kind, in->limit);

	enqueue_wake(rq);
	return reply_row(rq, rows);
}

/* clang-format off */
extern const struct feature jobs_feature;
const struct feature jobs_feature = { .name = "jobs", .doc = "Work that is done later: how it goes, and the queue itself.",
	.routes = ROUTES(
	{ ROUTE(GET, "/api/task/{id}", "How far is it", SIGNED_IN, read_task_state),
	    .takes = &task_id_shape, .gives = &task_shape },
	{ ROUTE(DELETE, "/api/task/{id}", "Cancel it", USER, task_cancel),
	    .takes = &task_id_shape, .gives = &task_shape, .status = 202, .transaction = true },
	{ ROUTE(GET, "/api/jobs", "List jobs, newest first", MANAGER, list_jobs),
	    .takes = &job_list, .gives = &job, .list = true },
	{ ROUTE(GET, "/api/jobs/kinds", "How each kind of job does", MANAGER, list_kinds),
	    .gives = &kind_of_jobs, .list = true },
	{ ROUTE(POST, "/api/jobs/kinds/{kind}/pause", "Begin no more jobs of a kind", MANAGER, pause_kind),
	    .takes = &kind_name },
	{ ROUTE(POST, "/api/jobs/kinds/{kind}/resume", "Begin them again", MANAGER, resume_kind),
	    .takes = &kind_name },
	{ ROUTE(POST, "/api/jobs/redrive", "Try dead letters again", MANAGER, redrive_jobs),
	    .takes = &redrive, .gives = &redriven, .transaction = true },
	{ ROUTE(GET, "/api/jobs/{id}", "Read a job", MANAGER, read_job), .takes = &task_id_shape, .gives = &job },
	{ ROUTE(POST, "/api/jobs/{id}/retry", "Try a job again, now", MANAGER, retry_job),
	    .takes = &task_id_shape, .gives = &task_shape, .status = 202, .transaction = true },
	{ ROUTE(POST, "/api/jobs/{id}/cancel", "Cancel a job", MANAGER, task_cancel),
	    .takes = &task_id_shape, .gives = &task_shape, .status = 202, .transaction = true }) };
/* clang-format on */
