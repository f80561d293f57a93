/* queue_entry.c - how a job comes into the queue. */
#include "store/queue_entry.h"

#include <string.h>

#include "base/attributes.h"
#include "store/array.h"
#include "store/queue.h"
#include "store/queue_add.h"

const struct statement queue_wake_statement = { .sql = "NOTIFY " QUEUE_CHANNEL };

static struct value or_null(long long number)
{
	if (number == 0)
		return (struct value){ .kind = NOTHING };
	return VALUE(number);
}

/* $4, $5: the moment, and what is added to it. */
#define WHEN                                                                             \
	" FROM (SELECT coalesce($4::timestamptz, now()) + $5::bigint * interval '1 ms' " \
	"AS at) AS due"
#define STATE "CASE WHEN at > now() THEN 'scheduled' ELSE 'available' END::job_state"

struct statement queue_entry_statement(struct arena *arena, const struct queue_entry *entry)
{
	const struct value values[] = { VALUE(entry->kind), VALUE(entry->priority),
		VALUE(entry->max_attempts), VALUE(entry->run_at), VALUE(entry->delay_ms),
		or_null(entry->user_id), VALUE(entry->traceparent), VALUE(entry->id),
		VALUE(entry->args), VALUE(entry->unique) };

	return queue_keep(arena,
	    "INSERT INTO job (id, kind, state, priority, max_attempts, run_at, unique_key, user_id,"
	    "  traceparent, args)"
	    " SELECT $8::uuid, $1, " STATE ", $2::smallint, $3::smallint, at,"
	    "  sha256(convert_to($10, 'UTF8')), $6::bigint, $7, $9::json" WHEN
	    " ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL DO UPDATE"
	    "  SET run_at = least(job.run_at, excluded.run_at), state ="
	    "   CASE WHEN excluded.state = 'available' THEN excluded.state ELSE job.state END"
	    " RETURNING id, state",
	    values, COUNT(values));
}

struct statement queue_entries_statement(struct arena *arena, const struct queue_entry *entry,
    const char (*ids)[UUID_TEXT], const char *const *args, size_t count)
{
	struct array id, arguments;

	array_start(&id, arena);
	array_start(&arguments, arena);
	for (size_t i = 0; i < count; i++) {
		array_add_word(&id, ids[i]);
		array_add_text(&arguments, args[i]);
	}
	{
		const struct value values[] = { VALUE(entry->kind), VALUE(entry->priority),
			VALUE(entry->max_attempts), VALUE(entry->run_at), VALUE(entry->delay_ms),
			or_null(entry->user_id), VALUE(entry->traceparent), array_end(&id),
			array_end(&arguments) };

		return queue_keep(arena,
		    "INSERT INTO job (id, kind, state, priority, max_attempts, run_at, user_id,"
		    "  traceparent, args)"
		    " SELECT x.id, $1, " STATE ", $2::smallint, $3::smallint, at, $6::bigint, $7,"
		    "  x.args" WHEN ", unnest($8::uuid[], $9::json[]) AS x (id, args)",
		    values, COUNT(values));
	}
}
