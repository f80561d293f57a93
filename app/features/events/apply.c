/*
 * apply.c - a batch of events becomes rows: the log, products, transactions, and what adds up.
 *
 * All in one statement: event_seen takes the ids it has not seen, and everything else
 * is made of those alone.  So an event that is delivered again, in any batch, by any
 * consumer, changes nothing; and nothing of a batch is there without the rest of it.
 *
 * Rows are written in the order of their keys, so that two consumers never wait for
 * each other in a circle.
 */
#include "core/input/instant.h"
#include "features/events/events.h"
#include "store/array.h"

/* A clock may be so far ahead of ours. */
#define AHEAD_MOST_MS (5 * 60 * 1000)

/*
 * Columns are given in the order of their tables: with their names everywhere the
 * statement would be longer than a literal may be.  "units" and "revenue" are a
 * purchase's alone.
 */
#define GIVEN                                                                            \
	"WITH given AS (SELECT g.*, (timestamp AT TIME ZONE 'UTC')::date AS day,"        \
	"  date_trunc('minute', timestamp) AS minute, event_type = 'purchase' AS bought" \
	" FROM unnest($1::uuid[], $2::event_type[], $3::timestamptz[], $4::bigint[],"    \
	"  $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::numeric[],"  \
	"  $11::integer[], $12::numeric[], $13::text[], $14::text[]) AS g (event_id,"    \
	"  event_type, timestamp, received_ms, user_id, session_id, product_id,"         \
	"  product_name, category, price, quantity, total_amount, payment_method,"       \
	"  query)),"                                                                     \
	" fresh AS (INSERT INTO event_seen SELECT event_id, timestamp FROM given"        \
	"  ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id),"                \
	" new AS MATERIALIZED (SELECT given.*, CASE WHEN bought THEN quantity ELSE 0"    \
	"   END AS units, CASE WHEN bought THEN total_amount ELSE 0 END AS revenue"      \
	"  FROM given JOIN fresh USING (event_id)),"

#define LOG                                                                      \
	" logged AS (INSERT INTO events SELECT event_id, event_type, timestamp," \
	"  'epoch'::timestamptz + received_ms * interval '1 ms', user_id,"       \
	"  session_id, product_id, category, price, quantity, total_amount,"     \
	"  payment_method, query FROM new),"

/* Of a product the newest that was said; a row that says so already is not touched. */
#define PRODUCTS                                                                         \
	" described AS (INSERT INTO products AS p"                                       \
	"  SELECT n.* FROM (SELECT DISTINCT ON (product_id) product_id, product_name,"   \
	"    category, price, timestamp FROM new WHERE product_id IS NOT NULL"           \
	"    ORDER BY product_id, timestamp DESC) AS n"                                  \
	"   LEFT JOIN products AS had USING (product_id)"                                \
	"   WHERE had.product_id IS NULL OR n.timestamp > had.seen_at AND"               \
	"    (n.product_name, n.category, n.price)"                                      \
	"     IS DISTINCT FROM (had.product_name, had.category, had.price)"              \
	"   ORDER BY product_id"                                                         \
	"  ON CONFLICT (product_id) DO UPDATE SET product_name = excluded.product_name," \
	"   category = excluded.category, price = excluded.price,"                       \
	"   seen_at = excluded.seen_at WHERE excluded.seen_at > p.seen_at),"             \
	" sold AS (INSERT INTO transactions SELECT event_id, event_id, product_id,"      \
	"   user_id, quantity, total_amount, payment_method, timestamp"                  \
	"  FROM new WHERE bought),"

/* Sets: who was there, and who bought. */
#define PEOPLE                                                                             \
	" users AS (INSERT INTO event_user_day SELECT DISTINCT day, user_id FROM new"      \
	"  ORDER BY day, user_id ON CONFLICT DO NOTHING),"                                 \
	" sessions AS (INSERT INTO event_session_day"                                      \
	"  SELECT n.* FROM (SELECT day, session_id, bool_or(bought) AS bought"             \
	"    FROM new GROUP BY day, session_id) AS n"                                      \
	"   LEFT JOIN event_session_day AS had USING (day, session_id)"                    \
	"   WHERE had.day IS NULL OR n.bought AND NOT had.bought ORDER BY day, session_id" \
	"  ON CONFLICT (day, session_id) DO UPDATE SET bought = true"                      \
	"   WHERE excluded.bought),"

#define ADD_UP                                 \
	" units = had.units + excluded.units," \
	" revenue = had.revenue + excluded.revenue)"

/* SUMS_BY("minute"): what events and purchases by product add up to, by minute or by day. */
#define SUMS_BY(time)                                                                   \
	" " time "s AS (INSERT INTO event_" time " AS had SELECT " time ", event_type," \
	"   $15::smallint, count(*), sum(units), sum(revenue) FROM new"                 \
	"   GROUP BY " time ", event_type ORDER BY " time ", event_type"                \
	"  ON CONFLICT (" time ", event_type, shard)"                                   \
	"  DO UPDATE SET events = had.events + excluded.events," ADD_UP ","             \
	" product_" time "s AS (INSERT INTO product_" time " AS had SELECT " time ","   \
	"   product_id, category, $15::smallint, count(*), sum(units), sum(revenue)"    \
	"   FROM new WHERE bought GROUP BY " time ", product_id, category"              \
	"   ORDER BY " time ", product_id, category"                                    \
	"  ON CONFLICT (" time ", product_id, category, shard)"                         \
	"  DO UPDATE SET orders = had.orders + excluded.orders," ADD_UP

static const char apply_sql[] = GIVEN LOG PRODUCTS PEOPLE SUMS_BY("minute") "," SUMS_BY(
    "day") " SELECT count(*) FROM new";

/* --- its values: a SQL array for each column --- */

enum column {
	ID,
	TYPE,
	TIMESTAMP,
	RECEIVED,
	VISITOR,
	SESSION,
	PRODUCT,
	NAME,
	CATEGORY,
	PRICE,
	QUANTITY,
	TOTAL,
	PAYMENT,
	QUERY,
	COLUMNS
};

/* Of a kind whose values need no quotes: UUIDs, names from a list, numbers. */
static void add_plain(struct array *array, const char *text)
{
	array_add_word(array, text != NULL ? text : "NULL");
}

static void add_event(struct array *column, const struct event_received *received)
{
	static const struct event_product none;
	const struct event *event = received->event;
	const struct event_product *product = event->product != NULL ? event->product : &none;

	add_plain(&column[ID], event->event_id);
	add_plain(&column[TYPE], event->event_type);
	array_add_text(&column[TIMESTAMP], event->timestamp);
	array_add_integer(&column[RECEIVED], received->received_ms);
	array_add_text(&column[VISITOR], event->user_id);
	array_add_text(&column[SESSION], event->session_id);
	array_add_text(&column[PRODUCT], product->id);
	array_add_text(&column[NAME], product->name);
	array_add_text(&column[CATEGORY], product->category);
	add_plain(&column[PRICE], product->price);
	if (event->quantity != 0)
		array_add_integer(&column[QUANTITY], event->quantity);
	else
		add_plain(&column[QUANTITY], NULL);
	add_plain(&column[TOTAL], event->total_amount);
	add_plain(&column[PAYMENT], event->payment_method);
	array_add_text(&column[QUERY], event->query);
}

struct statement events_apply(struct request *rq, const struct event_batch *batch)
{
	struct arena *arena = request_arena(rq);
	struct value *values = arena_alloc(arena, (COLUMNS + 1) * sizeof(*values));
	struct array column[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		array_start(&column[i], arena);
	for (size_t i = 0; i < batch->count; i++)
		add_event(column, &batch->received[i]);
	for (int i = 0; i < COLUMNS; i++)
		values[i] = array_end(&column[i]);
	values[COLUMNS] = value_integer(batch->shard);
	return (struct statement){ apply_sql, COLUMNS + 1, values };
}

/* --- what can not be applied although it has its shape --- */

const char *events_refuse(struct request *rq, const struct event_received *received)
{
	const struct event *event = received->event;
	long long at = instant_ms(event->timestamp);

	if (at > received->received_ms + AHEAD_MOST_MS)
		return "timestamp is more than 5 minutes ahead";
	if (at < event_oldest_ms(rq))
		return arena_print(request_arena(rq),
		    "timestamp is more than %lld days ago: the log of that day is gone",
		    event_days(rq));
	return NULL;
}
