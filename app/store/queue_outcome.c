/* queue_outcome.c - how jobs have ended: into the history, or once more. */
#include <stdlib.h>

#include "store/array.h"
#include "store/queue.h"
#include "store/queue_add.h"

const struct statement queue_by_index_statement = { .sql = "SET LOCAL enable_seqscan = off" };

/* The columns of job_done that come from job as they are. */
#define KEPT "id, kind, priority, max_attempts, progress, created_at, user_id, traceparent, args"

static bool is_over(const struct queue_outcome *outcome)
{
	return outcome->verdict <= QUEUE_DISCARDED;
}

/*
 * No state = 'running' here: the token says more, and it would lead to another
 * index.  The last word is what is said of the rows.
 */
#define OVER(last)                                                                \
	"WITH over AS (DELETE FROM job USING"                                     \
	" unnest($1::uuid[], $2::job_state[], $3::json[], $4::text[], $5::int[])" \
	"  AS x (id, state, result, error, ms)"                                   \
	" WHERE job.id = x.id AND job.lease_token = $6::bigint"                   \
	" RETURNING job.*, x.state AS ended, x.result, x.error, x.ms)," KEEP_OVER(last)

/* The same of one job. */
#define OVER_ONE(last)                                                                     \
	"WITH over AS (DELETE FROM job WHERE id = $1::uuid AND lease_token = $6::bigint"   \
	" RETURNING job.*, $2::job_state AS ended, $3::json AS result, $4::text AS error," \
	"  $5::int AS ms)," KEEP_OVER(last)

#define KEEP_OVER(last)                                                                    \
	"kept AS (INSERT INTO job_done"                                                    \
	" (" KEPT ", state, attempt, started_at, ms, result, last_error)"                  \
	" SELECT " KEPT ", ended, attempt + (started_at IS NULL AND ms IS NOT NULL)::int," \
	"  coalesce(started_at, now() - ms * interval '1 ms'), ms, result,"                \
	"  coalesce(error, last_error) FROM over) SELECT " last " FROM over"

/* The values of OVER. */
struct over {
	struct value ids, states, results, errors, ms;
};

static const char *const states[] = { [QUEUE_COMPLETED] = "completed",
	[QUEUE_CANCELLED] = "cancelled",
	[QUEUE_DISCARDED] = "discarded" };

static struct over over_of(struct arena *arena, const struct queue_outcome *outcomes, size_t count)
{
	struct array ids, state, results, errors, ms;

	array_start(&ids, arena);
	array_start(&state, arena);
	array_start(&results, arena);
	array_start(&errors, arena);
	array_start(&ms, arena);
	for (size_t i = 0; i < count; i++) {
		if (!is_over(&outcomes[i]))
			continue;
		array_add_word(&ids, outcomes[i].id);
		array_add_word(&state, states[outcomes[i].verdict]);
		array_add_text(&results, outcomes[i].result);
		array_add_text(&errors, outcomes[i].error);
		if (outcomes[i].us < 0)
			array_add_text(&ms, NULL);
		else
			array_add_integer(&ms, outcomes[i].us / 1000);
	}
	return (struct over){ array_end(&ids), array_end(&state), array_end(&results),
		array_end(&errors), array_end(&ms) };
}

/* Of OVER_ONE. */
static struct over over_of_one(const struct queue_outcome *outcome)
{
	struct over over = { .ids = VALUE(outcome->id),
		.states = VALUE(states[outcome->verdict]),
		.results = VALUE(outcome->result),
		.errors = VALUE(outcome->error),
		.ms = VALUE(outcome->us / 1000) };

	if (outcome->us < 0)
		over.ms.kind = NOTHING;
	return over;
}

static void add_over(struct pipeline *p, struct arena *arena, const struct queue_outcome *outcomes,
    size_t count, long long token)
{
	struct over over;

	if (count == 1) {
		over = over_of_one(&outcomes[0]);
		ADD(p, arena, OVER_ONE("count(*)"), over.ids, over.states, over.results,
		    over.errors, over.ms, token);
		return;
	}
	over = over_of(arena, outcomes, count);
	ADD(p, arena, OVER("count(*)"), over.ids, over.states, over.results, over.errors, over.ms,
	    token);
}

struct statement queue_over_statement(
    struct arena *arena, const struct queue_outcome *outcome, long long token)
{
	struct over over = over_of_one(outcome);

	return KEEP(arena, OVER_ONE("job_must_be_ours(count(*))"), over.ids, over.states,
	    over.results, over.errors, over.ms, token);
}

static void add_again(struct pipeline *p, struct arena *arena, const struct queue_outcome *outcomes,
    size_t count, long long token)
{
	struct array ids, errors, delays, postponed;

	array_start(&ids, arena);
	array_start(&errors, arena);
	array_start(&delays, arena);
	array_start(&postponed, arena);
	for (size_t i = 0; i < count; i++) {
		if (is_over(&outcomes[i]))
			continue;
		array_add_word(&ids, outcomes[i].id);
		array_add_text(&errors, outcomes[i].error);
		array_add_integer(&delays, outcomes[i].delay_ms);
		array_add_integer(&postponed, outcomes[i].verdict == QUEUE_POSTPONED);
	}
	ADD(p, arena,
	    "WITH again AS (UPDATE job SET state = 'retryable',"
	    "  attempt = attempt + (started_at IS NULL)::int - x.postponed,"
	    "  started_at = coalesce(started_at, now()),"
	    "  run_at = now() + x.delay * interval '1 ms', lease_token = NULL, lease_until = NULL,"
	    "  locked_by = NULL, alone = false, last_error = coalesce(x.error, last_error)"
	    "  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[])"
	    "   AS x (id, error, delay, postponed)"
	    "  WHERE job.id = x.id AND job.lease_token = $5::bigint RETURNING 1)"
	    " SELECT count(*) FROM again",
	    array_end(&ids), array_end(&errors), array_end(&delays), array_end(&postponed), token);
}

static int by_id(const void *a, const void *b)
{
	const struct queue_outcome *x = a, *y = b;

	return strcmp(x->id, y->id);
}

void queue_add_outcomes(struct pipeline *p, struct arena *arena, struct queue_outcome *outcomes,
    size_t count, long long token)
{
	size_t over = 0;

	qsort(outcomes, count, sizeof(*outcomes), by_id);
	for (size_t i = 0; i < count; i++)
		over += is_over(&outcomes[i]);
	if (over > 0)
		add_over(p, arena, outcomes, count, token);
	if (over < count)
		add_again(p, arena, outcomes, count, token);
}

long long queue_settled(const struct pipeline *p, size_t statements)
{
	long long settled = 0;

	for (size_t i = 0; i < statements; i++)
		settled += rows_integer(&p->rows[i], 0, 0);
	return settled;
}
