/* queue_upkeep.c - what one process at a time does for the queue of all. */
#include "store/queue_upkeep.h"

#include "store/array.h"
#include "store/queue_entry.h"

/* "ostlerjb" as a number: any other program's advisory locks have other keys. */
#define LEADER "8031170696093002338"

/* The number of rows, or the number that the only row says. */
static struct upkeep ended(struct rows *rows, bool counted)
{
	struct upkeep upkeep = { .fate = rows->fate };

	if (rows->fate == DONE && rows->count > 0)
		upkeep.rows = counted ? rows_integer(rows, 0, 0) : rows->count;
	rows_free(rows);
	return upkeep;
}

struct upkeep upkeep_lead(struct connection *c, struct arena *arena, int64_t deadline)
{
	static const struct statement try = { .sql =
						  "SELECT FROM (SELECT pg_try_advisory_lock(" LEADER
						  ") AS led) AS tried WHERE led" };

	return ended(connection_run(c, arena, &try, deadline), false);
}

/*
 * A leader that is stopped rather than dead keeps its session, and with it the
 * lock.  (A lock's key is shown in two halves: PostgreSQL manual, 54.12.)
 */
struct upkeep upkeep_end_silent(
    struct connection *c, struct arena *arena, long long silent_ms, int64_t deadline)
{
	return ended(connection_run(c, arena,
			 STATEMENT("SELECT pg_terminate_backend(pid)"
				   " FROM pg_locks JOIN pg_stat_activity USING (pid)"
				   " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
				   " AND classid = (" LEADER " >> 32)::oid"
				   " AND objid = (" LEADER " & 4294967295)::oid"
				   " AND state_change < now() - $1::bigint * interval '1 ms'",
			     silent_ms),
			 deadline),
	    false);
}

struct upkeep upkeep_promote(struct connection *c, struct arena *arena, int64_t deadline)
{
	return ended(connection_run(c, arena,
			 STATEMENT("WITH due AS MATERIALIZED (SELECT id FROM job"
				   "  WHERE state IN ('scheduled', 'retryable') AND run_at <= now()"
				   "  ORDER BY run_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED),"
				   " there AS (UPDATE job SET state = 'available' FROM due"
				   "  WHERE job.id = due.id RETURNING 1)"
				   " SELECT count(*) FROM there",
			     UPKEEP_BATCH),
			 deadline),
	    true);
}

/*
 * What had begun by itself is counted and may be a job that kills workers: it
 * waits a second, then two, four, … up to five minutes.
 */
struct upkeep upkeep_rescue(
    struct connection *c, struct arena *arena, long long since_ms, int64_t deadline)
{
	return ended(
	    connection_run(c, arena,
		STATEMENT(
		    "WITH gone AS MATERIALIZED (SELECT id, started_at IS NOT NULL AND"
		    "   (attempt >= max_attempts OR cancel_requested) AS over FROM job"
		    "  WHERE state = 'running' AND kind = ANY (ARRAY(SELECT kind FROM job_kind))"
		    "  AND lease_until < now() AND lease_until > CASE WHEN $2::bigint > 0"
		    "   THEN now() - $2 * interval '1 ms' ELSE '-infinity' END"
		    "  ORDER BY id LIMIT $1::bigint FOR UPDATE SKIP LOCKED),"
		    " dead AS (DELETE FROM job USING gone WHERE job.id = gone.id AND over"
		    "  RETURNING job.*),"
		    " kept AS (INSERT INTO job_done (id, kind, state, priority, attempt,"
		    "   max_attempts, progress, created_at, started_at, user_id, traceparent, args,"
		    "   last_error)"
		    "  SELECT id, kind, CASE WHEN cancel_requested THEN 'cancelled'"
		    "   ELSE 'discarded' END::job_state, priority, attempt, max_attempts, progress,"
		    "   created_at, started_at, user_id, traceparent, args,"
		    "   'the worker that ran it, ' || locked_by || ', died or was cut off' FROM "
		    "dead),"
		    " again AS (UPDATE job SET alone = true, lease_token = NULL, lease_until = "
		    "NULL,"
		    "  locked_by = NULL,"
		    "  state = CASE WHEN started_at IS NULL THEN 'available' ELSE 'retryable' END"
		    "   ::job_state,"
		    "  run_at = CASE WHEN started_at IS NULL THEN run_at ELSE now() +"
		    "   least(300, 2 ^ (least(attempt, 10) - 1)) * interval '1 s' END,"
		    "  last_error = CASE WHEN started_at IS NULL THEN last_error ELSE"
		    "   'the worker that ran it, ' || locked_by || ', died or was cut off' END"
		    "  FROM gone WHERE job.id = gone.id AND NOT over RETURNING 1)"
		    " SELECT (SELECT count(*) FROM dead) + (SELECT count(*) FROM again)",
		    UPKEEP_BATCH, since_ms),
		deadline),
	    true);
}

struct upkeep upkeep_history(
    struct connection *c, struct arena *arena, long long kept_days, int64_t deadline)
{
	return ended(connection_run(c, arena,
			 STATEMENT("SELECT job_history(7, $1::integer)", kept_days), deadline),
	    false);
}

struct upkeep upkeep_register(
    struct connection *c, struct arena *arena, struct value kinds, int64_t deadline)
{
	return ended(connection_run(c, arena,
			 STATEMENT("INSERT INTO job_kind (kind) SELECT unnest($1::text[])"
				   " ON CONFLICT DO NOTHING",
			     kinds),
			 deadline),
	    false);
}

struct upkeep upkeep_tell(struct connection *c, struct arena *arena,
    const struct upkeep_tally *tallies, size_t count, int64_t deadline)
{
	struct array kinds, figures[5];

	array_start(&kinds, arena);
	for (size_t i = 0; i < 5; i++)
		array_start(&figures[i], arena);
	for (size_t i = 0; i < count; i++) {
		array_add_text(&kinds, tallies[i].kind);
		array_add_integer(&figures[0], tallies[i].completed);
		array_add_integer(&figures[1], tallies[i].retried);
		array_add_integer(&figures[2], tallies[i].failed);
		array_add_integer(&figures[3], tallies[i].run_us);
		array_add_integer(&figures[4], tallies[i].wait_us);
	}
	/* In the order of the kinds: workers that tell at once lock rows one after the other. */
	return ended(
	    connection_run(c, arena,
		STATEMENT("INSERT INTO job_minute AS total SELECT date_trunc('minute', now()), x.*"
			  " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[],"
			  "  $5::bigint[], $6::bigint[]) AS x (kind) ORDER BY x.kind"
			  " ON CONFLICT (minute, kind) DO UPDATE SET"
			  "  completed = total.completed + excluded.completed,"
			  "  retried = total.retried + excluded.retried,"
			  "  failed = total.failed + excluded.failed,"
			  "  run_us = total.run_us + excluded.run_us,"
			  "  wait_us = total.wait_us + excluded.wait_us",
		    array_end(&kinds), array_end(&figures[0]), array_end(&figures[1]),
		    array_end(&figures[2]), array_end(&figures[3]), array_end(&figures[4])),
		deadline),
	    false);
}

/* --- cron lines --- */

struct upkeep upkeep_now(struct connection *c, struct arena *arena, int64_t deadline)
{
	static const struct statement now = {
		.sql = "SELECT floor(extract(epoch FROM now()))::bigint"
	};

	return ended(connection_run(c, arena, &now, deadline), true);
}

struct upkeep upkeep_cron(
    struct connection *c, struct arena *arena, const struct upkeep_cron *cron, int64_t deadline)
{
	return ended(
	    connection_run(c, arena,
		STATEMENT("INSERT INTO job_cron AS known (name, spec, kind, next_at)"
			  " VALUES ($1, $2, $3, to_timestamp($4::bigint))"
			  " ON CONFLICT (name) DO UPDATE SET spec = $2, kind = $3, next_at ="
			  "  CASE WHEN known.spec = $2 THEN known.next_at ELSE excluded.next_at END"
			  " RETURNING floor(extract(epoch FROM next_at))::bigint",
		    cron->name, cron->spec, cron->kind, (long long)cron->next),
		deadline),
	    true);
}

struct upkeep upkeep_fire(struct connection *c, struct arena *arena, const struct upkeep_cron *cron,
    const struct queue_entry *entry, int64_t deadline)
{
	return ended(
	    connection_run(c, arena,
		STATEMENT("WITH due AS (UPDATE job_cron SET next_at = to_timestamp($2::bigint),"
			  "  last_at = now(), last_id = $3::uuid"
			  "  WHERE name = $1 AND next_at <= now() RETURNING 1)"
			  " INSERT INTO job (id, kind, priority, max_attempts, unique_key, args)"
			  " SELECT $3::uuid, $4, $5::smallint, $6::smallint,"
			  "  sha256(convert_to($7, 'UTF8')), $8::json FROM due"
			  " ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING"
			  " RETURNING id",
		    cron->name, (long long)cron->next, entry->id, entry->kind, entry->priority,
		    entry->max_attempts, entry->unique, entry->args),
		deadline),
	    false);
}
