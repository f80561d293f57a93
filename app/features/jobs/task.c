/* task.c - a job as whoever enqueued it sees it: how far it is, and how to be rid of it. */
#include "features/jobs/task.h"

#include <string.h>

/* A result is whatever object its kind makes of it. */
struct anything {
	const char *nothing;
};
struct task {
	const char *id, *kind, *status, *error;
	const char *created_at, *started_at, *finished_at;
	long long progress, attempt;
	const struct anything *result;
};

/* clang-format off */
static const struct shape anything = SHAPE(struct anything, END);

const struct shape task_id_shape = SHAPE(struct task_id,
	{ FIELD_AS(struct task_id, id, UUID), .required = true });

const struct shape task_shape = SHAPE(struct task,
	{ FIELD_AS(struct task, id, UUID) },
	{ FIELD(struct task, kind), .example = "sales.reprocess" },
	{ FIELD(struct task, status), .doc = "queued, running, retrying, completed, failed or cancelled." },
	{ FIELD(struct task, progress), .nullable = true, .doc = "In percent, if its handler says so." },
	{ FIELD(struct task, attempt), .doc = "Of those begun." },
	{ FIELD_AS(struct task, result, OBJECT), .of = &anything, .nullable = true },
	{ FIELD(struct task, error), .nullable = true, .doc = "Why the last attempt failed." },
	{ FIELD_AS(struct task, created_at, TIME) },
	{ FIELD_AS(struct task, started_at, TIME), .nullable = true, .doc = "Of the last attempt." },
	{ FIELD_AS(struct task, finished_at, TIME), .nullable = true });
/* clang-format on */

/*
 * Whose job it must be: $2 of the statements here.  Managers look after everybody's;
 * for all others a job of somebody else is not there.
 */
static struct value owner(struct request *rq)
{
	if (role(rq) >= MANAGER)
		return (struct value){ .kind = NOTHING };
	return VALUE(user_id(rq));
}
#define OF_OWNER " AND ($2::bigint IS NULL OR user_id = $2)"

/* A job that ends meanwhile is in one of the two, whichever: both are read in one snapshot. */
const struct rows *task_find(struct request *rq, const char *id)
{
	return query(rq,
	    "SELECT id, kind, " STATUS " AS status, progress, attempt, result, last_error AS error,"
	    " created_at, started_at, finished_at FROM"
	    " (SELECT id, kind, state, progress, attempt, NULL::json AS result, last_error,"
	    "   created_at, started_at, NULL::timestamptz AS finished_at"
	    "  FROM job WHERE id = $1::uuid" OF_OWNER " UNION ALL"
	    "  SELECT id, kind, state, progress, attempt, result, last_error,"
	    "   created_at, started_at, finished_at"
	    "  FROM job_done WHERE id = $1::uuid" OF_OWNER ") AS found",
	    id, owner(rq));
}

static bool has_ended(const struct rows *rows)
{
	return rows_text(rows, 0, 9) != NULL;
}

/* While it has not ended there is something to ask again for. */
static void say_when_to_ask(struct request *rq, const struct rows *rows)
{
	if (rows->count > 0 && !has_ended(rows))
		reply_retry_after(rq, 1);
}

int task_accepted(struct request *rq, const struct rows *rows)
{
	say_when_to_ask(rq, rows);
	if (rows->count > 0)
		reply_location(
		    rq, arena_print(request_arena(rq), "/api/task/%s", rows_text(rows, 0, 0)));
	return reply_accepted(rq, rows);
}

int read_task_state(struct request *rq)
{
	const struct task_id *in = input(rq);
	const struct rows *rows = task_find(rq, in->id);

	say_when_to_ask(rq, rows);
	return reply_row(rq, rows);
}

/*
 * The mark holds the row until the commit, so that no worker takes the job in
 * between; one that runs hears of the mark with the next renewal of its lease.
 */
int task_cancel(struct request *rq)
{
	const struct task_id *in = input(rq);
	const struct rows *marked, *rows;

	marked = query(rq,
	    "UPDATE job SET cancel_requested = true WHERE id = $1::uuid" OF_OWNER
	    " RETURNING state",
	    in->id, owner(rq));
	query(rq,
	    "WITH cancelled AS (DELETE FROM job WHERE id = $1::uuid" OF_OWNER
	    " AND state <> 'running' RETURNING *) INSERT INTO job_done (id, kind, state, priority, "
	    "attempt, max_attempts,"
	    "  progress, created_at, started_at, user_id, traceparent, args, last_error)"
	    " SELECT id, kind, 'cancelled', priority, attempt, max_attempts, progress, created_at,"
	    "  started_at, user_id, traceparent, args, last_error FROM cancelled",
	    in->id, owner(rq));
	rows = task_find(rq, in->id);
	if (rows->count > 0 && marked->count == 0 &&
	    strcmp(rows_text(rows, 0, 2), "cancelled") != 0)
		return reply_problem(
		    rq, 409, "It has ended already, as %s.", rows_text(rows, 0, 2));
	return task_accepted(rq, rows);
}
