/* queue.c - the queue of jobs in PostgreSQL: the statements of a worker. */
#include "store/queue.h"

#include <stdlib.h>
#include <string.h>

#include "store/array.h"
#include "store/queue_add.h"

/* --- claiming --- */

/*
 * What every claim does with the jobs J that it has chosen.  One claimed by
 * itself begins at once, so that its attempt counts from here; of several,
 * each begins in its turn (queue_add_begin), or is over before that matters.
 * A unique key has done its work: what is enqueued from now on is another job.
 */
#define TAKE(token, lease, worker)                                                               \
	" taken AS (UPDATE job SET"                                                              \
	"  attempt = attempt + claim.one::int, started_at = CASE WHEN claim.one THEN now() "     \
	"END," HOLD(token, lease,                                                                \
	    worker) "  FROM j, (SELECT count(*) = 1 AS one FROM j) AS claim WHERE job.id = j.id" \
		    "  RETURNING job.*)"                                                         \
		    " SELECT" CLAIMED " FROM taken ORDER BY kind, priority, run_at, id"

#define HOLD(token, lease, worker)                                     \
	" state = 'running', lease_token = " token "::bigint,"         \
	"  lease_until = now() + " lease "::bigint * interval '1 ms'," \
	"  locked_by = " worker ", progress = NULL, unique_key = NULL"

/* What queue_claimed reads. */
#define CLAIMED                                                                             \
	" id, kind, args, traceparent, priority, run_at, attempt, max_attempts, user_id,"   \
	"  (extract(epoch FROM now() - run_at) * 1000000)::bigint, started_at IS NOT NULL," \
	"  cancel_requested"

/*
 * One lane after the other until there are enough: a nested loop under a LIMIT
 * asks no further lane, and locks no row, than it has to.  It has to be
 * materialized: the planner could otherwise run it more than once.
 */
#define LANES                                                                                      \
	"WITH j AS MATERIALIZED (SELECT j.id FROM"                                                 \
	" unnest($1::text[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::uuid[])"         \
	"  AS lane (kind, most, priority, run_at, id), LATERAL"                                    \
	" (SELECT job.id FROM job WHERE state = 'available' AND NOT alone"                         \
	"   AND job.kind = lane.kind"                                                              \
	"   AND (job.priority, job.run_at, job.id) > (lane.priority, lane.run_at, lane.id)"        \
	"   AND (SELECT paused_at FROM job_kind WHERE job_kind.kind = lane.kind) IS NULL"          \
	"  ORDER BY job.priority, job.run_at, job.id LIMIT lane.most FOR UPDATE SKIP LOCKED) AS j" \
	" LIMIT $6::bigint),"

static struct value lane_texts(struct arena *arena, const struct queue_claim *claim, size_t offset)
{
	struct array array;

	array_start(&array, arena);
	for (size_t i = 0; i < claim->count; i++)
		array_add_text(
		    &array, *(const char *const *)((const char *)&claim->lanes[i] + offset));
	return array_end(&array);
}

static struct value lane_kinds(struct arena *arena, const struct queue_claim *claim)
{
	return lane_texts(arena, claim, offsetof(struct queue_lane, kind));
}

/* One job of one lane: a plan without joins, which is half of the work when jobs come one by one.
 */
static void add_claim_of_one(
    struct pipeline *p, struct arena *arena, const struct queue_claim *claim)
{
	const struct queue_lane *lane = &claim->lanes[0];

	ADD(p, arena,
	    "UPDATE job SET attempt = attempt + 1, started_at = now()," HOLD("$5", "$6",
		"$7") " WHERE id = (SELECT id FROM job WHERE state = 'available' AND NOT alone AND "
		      "kind = $1"
		      "   AND (priority, run_at, id) > ($2::smallint, $3::timestamptz, $4::uuid)"
		      "   AND (SELECT paused_at FROM job_kind WHERE kind = $1) IS NULL"
		      "  ORDER BY priority, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) "
		      "RETURNING" CLAIMED,
	    lane->kind, lane->priority, lane->run_at, lane->id, claim->token, claim->lease_ms,
	    claim->worker);
}

void queue_add_claim(struct pipeline *p, struct arena *arena, const struct queue_claim *claim)
{
	struct value *values;
	struct array most;

	if (claim->count == 1 && (claim->most == 1 || claim->lanes[0].most == 1)) {
		add_claim_of_one(p, arena, claim);
		return;
	}
	values = arena_alloc(arena, 9 * sizeof(*values));
	array_start(&most, arena);
	for (size_t i = 0; i < claim->count; i++)
		array_add_integer(&most, claim->lanes[i].most);
	values[0] = lane_kinds(arena, claim);
	values[1] = array_end(&most);
	values[2] = lane_texts(arena, claim, offsetof(struct queue_lane, priority));
	values[3] = lane_texts(arena, claim, offsetof(struct queue_lane, run_at));
	values[4] = lane_texts(arena, claim, offsetof(struct queue_lane, id));
	values[5] = VALUE(claim->most);
	values[6] = VALUE(claim->token);
	values[7] = VALUE(claim->lease_ms);
	values[8] = VALUE(claim->worker);
	pipeline_add(p, &(struct statement){ LANES TAKE("$7", "$8", "$9"), 9, values });
}

void queue_add_claim_alone(struct pipeline *p, struct arena *arena, const struct queue_claim *claim)
{
	ADD(p, arena,
	    "WITH j AS MATERIALIZED (SELECT j.id FROM unnest($1::text[]) AS lane (kind), LATERAL"
	    " (SELECT job.id FROM job WHERE state = 'available' AND alone AND job.kind = lane.kind"
	    "   AND (SELECT paused_at FROM job_kind WHERE job_kind.kind = lane.kind) IS NULL"
	    "  ORDER BY job.priority, job.run_at, job.id LIMIT 1 FOR UPDATE SKIP LOCKED) AS j"
	    " LIMIT 1)," TAKE("$2", "$3", "$4"),
	    lane_kinds(arena, claim), claim->token, claim->lease_ms, claim->worker);
}

/*
 * The first statement waits for the row of the kind, which is the gate; the
 * second has a snapshot of its own and so counts what the one before has let
 * through.  Tokens flow in by the second and at most a second's worth is kept.
 * clock_timestamp: the transaction may have waited at the gate.
 */
void queue_add_claim_limited(struct pipeline *p, struct arena *arena,
    const struct queue_claim *claim, const struct queue_limits *limits)
{
	ADD(p, arena,
	    "SELECT FROM job_kind WHERE kind = $1 AND paused_at IS NULL AND EXISTS"
	    " (SELECT FROM job WHERE state = 'available' AND NOT alone AND kind = $1) FOR UPDATE",
	    claim->lanes[0].kind);
	ADD(p, arena,
	    "WITH bucket AS (SELECT kind, clock_timestamp() AS at, least($4::bigint,"
	    "   tokens + least(extract(epoch FROM clock_timestamp() - refilled_at), 1) * $4)"
	    "   AS tokens FROM job_kind WHERE kind = $1 AND paused_at IS NULL),"
	    " room AS (SELECT least($2::bigint,"
	    "   CASE WHEN $3::bigint > 0 THEN $3 - (SELECT count(*) FROM job"
	    "    WHERE state = 'running' AND kind = $1) ELSE $2 END,"
	    "   CASE WHEN $4::bigint > 0 THEN floor(tokens)::bigint ELSE $2 END) AS most FROM "
	    "bucket),"
	    " j AS MATERIALIZED (SELECT id FROM job WHERE state = 'available' AND NOT alone"
	    "   AND kind = $1 ORDER BY priority, run_at, id"
	    "   LIMIT (SELECT greatest(most, 0) FROM room UNION ALL SELECT 0 LIMIT 1)"
	    "   FOR UPDATE SKIP LOCKED),"
	    " spent AS (UPDATE job_kind SET tokens = bucket.tokens - (SELECT count(*) FROM j),"
	    "   refilled_at = bucket.at FROM bucket WHERE job_kind.kind = bucket.kind AND $4 > 0"
	    "   AND EXISTS (SELECT FROM j))," TAKE("$5", "$6", "$7"),
	    claim->lanes[0].kind, claim->most, limits->running, limits->per_second, claim->token,
	    claim->lease_ms, claim->worker);
}

static bool boolean(const struct rows *rows, int row, int column)
{
	return rows_text(rows, row, column)[0] == 't';
}

/* The columns are those of CLAIMED. */
struct queue_job queue_claimed(const struct rows *rows, int row)
{
	return (struct queue_job){ .id = rows_text(rows, row, 0),
		.kind = rows_text(rows, row, 1),
		.args = rows_text(rows, row, 2),
		.traceparent = rows_text(rows, row, 3),
		.priority = rows_text(rows, row, 4),
		.run_at = rows_text(rows, row, 5),
		.attempt = rows_integer(rows, row, 6),
		.max_attempts = rows_integer(rows, row, 7),
		.user_id = rows_integer(rows, row, 8),
		.waited_us = rows_integer(rows, row, 9),
		.begun = boolean(rows, row, 10),
		.cancel = boolean(rows, row, 11) };
}

void queue_add_begin(struct pipeline *p, struct arena *arena, const char *id, long long token)
{
	ADD(p, arena,
	    "UPDATE job SET attempt = attempt + 1, started_at = now()"
	    " WHERE id = $1::uuid AND lease_token = $2::bigint AND started_at IS NULL RETURNING "
	    "attempt",
	    id, token);
}

/* --- while jobs run --- */

/* Sorted by id, as every statement here that changes many: two such never lock crosswise. */
void queue_add_beat(struct pipeline *p, struct arena *arena, const struct queue_beat *beats,
    size_t count, const struct queue_claim *claim)
{
	struct array ids, progress;

	array_start(&ids, arena);
	array_start(&progress, arena);
	for (size_t i = 0; i < count; i++) {
		array_add_word(&ids, beats[i].id);
		if (beats[i].progress < 0)
			array_add_text(&progress, NULL);
		else
			array_add_integer(&progress, beats[i].progress);
	}
	ADD(p, arena,
	    "UPDATE job SET lease_until = now() + $4::bigint * interval '1 ms',"
	    "  progress = coalesce(x.progress, job.progress)"
	    " FROM unnest($1::uuid[], $2::smallint[]) AS x (id, progress)"
	    " WHERE job.id = x.id AND job.lease_token = $3::bigint"
	    " RETURNING job.id, cancel_requested",
	    array_end(&ids), array_end(&progress), claim->token, claim->lease_ms);
}

const char *queue_beat_id(const struct rows *rows, int row)
{
	return rows_text(rows, row, 0);
}

bool queue_beat_cancels(const struct rows *rows, int row)
{
	return boolean(rows, row, 1);
}

/* --- giving back --- */

#define AVAILABLE_AGAIN                                                                   \
	" state = 'available', lease_token = NULL, lease_until = NULL, locked_by = NULL," \
	" attempt = attempt - (started_at IS NOT NULL)::int, started_at = NULL"

void queue_add_release(
    struct pipeline *p, struct arena *arena, const char *const *ids, size_t count, long long token)
{
	struct array array;

	array_start(&array, arena);
	for (size_t i = 0; i < count; i++)
		array_add_word(&array, ids[i]);
	ADD(p, arena,
	    "UPDATE job SET" AVAILABLE_AGAIN
	    " WHERE id = ANY ($1::uuid[]) AND lease_token = $2::bigint AND started_at IS NULL",
	    array_end(&array), token);
}

void queue_add_recover(struct pipeline *p, struct arena *arena, long long token)
{
	ADD(p, arena,
	    "UPDATE job SET" AVAILABLE_AGAIN
	    " WHERE state = 'running' AND lease_token = $1::bigint",
	    token);
}
