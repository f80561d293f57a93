/*
 * metrics.c - what the shop's events add up to: for the dashboard, and for whoever asks.
 *
 * Everything is read from sums that the consumer keeps (sql/0006-events.sql), never
 * from the raw log, so that an answer costs the same whether a day had a thousand
 * events or a hundred million.  Only the last minute is counted from the log itself:
 * how many people were there in it, no sum can tell.
 */
#include "features/metrics/metrics.h"

struct summary {
	const char *window, *since, *revenue, *average_ticket;
	long long events, users, sessions, orders, units;
	double conversion;
};
struct realtime {
	long long events, orders, active_users, p95_ms, lag;
	double events_per_second;
	const char *revenue, *applied_at;
};

#define SHOP    "events" /* the kind that the shop's are of */
#define SECONDS 60       /* that realtime looks back */

/* clang-format off */
static const struct shape summary_asked = SHAPE_NAMED("metrics_days", struct window,
	{ FIELD(struct window, window), .one_of = span_words_of_days, .preset = "today",
	    .doc = "Whole days in UTC: today, or today and the six days before." });
static const struct shape summary = SHAPE(struct summary,
	{ FIELD(struct summary, window), .one_of = span_words_of_days },
	{ FIELD_AS(struct summary, since, TIME), .doc = "When its first day began." },
	{ FIELD(struct summary, events) },
	{ FIELD(struct summary, users), .doc = "Different ones, in all days together." },
	{ FIELD(struct summary, sessions), .doc = "Different ones, in all days together." },
	{ FIELD(struct summary, orders), .doc = "Purchases." },
	{ FIELD(struct summary, units), .doc = "Pieces that were bought." },
	{ FIELD_AS(struct summary, revenue, MONEY) },
	{ FIELD(struct summary, conversion), .nullable = true, .doc = "The part of the sessions that bought something, 0 to 1; null without a session." },
	{ FIELD_AS(struct summary, average_ticket, MONEY), .nullable = true, .doc = "Revenue by order; null without one." });

static const struct shape realtime = SHAPE(struct realtime,
	{ FIELD(struct realtime, events), .doc = "Of the last 60 seconds, as are the others." },
	{ FIELD(struct realtime, events_per_second) },
	{ FIELD(struct realtime, orders) },
	{ FIELD_AS(struct realtime, revenue, MONEY) },
	{ FIELD(struct realtime, active_users), .doc = "Different ones." },
	{ FIELD(struct realtime, p95_ms), .nullable = true, .doc = "Of 100 events 95 took at most so long from the broker to the database, in this minute and the one before; null when there was none." },
	{ FIELD(struct realtime, lag), .nullable = true, .doc = "Events that were taken and are not applied yet; null when the broker cannot tell." },
	{ FIELD_AS(struct realtime, applied_at, TIME), .nullable = true, .doc = "When events were last applied; null: never." });
/* clang-format on */

/* Of one day nobody is in a set twice: counting is enough, and much cheaper than telling apart. */
#define DAYS " > (now() AT TIME ZONE 'UTC')::date - $2::integer"
#define SUMMARY(users, sessions)                                                                 \
	"SELECT $1::text AS window,"                                                             \
	" ((now() AT TIME ZONE 'UTC')::date - $2::integer + 1)::timestamp AT TIME ZONE 'UTC' AS" \
	"  since, events, users, sessions, orders, units, revenue,"                              \
	" round(buying::numeric / nullif(sessions, 0), 4) AS conversion,"                        \
	" round(revenue / nullif(orders, 0), 2) AS average_ticket FROM"                          \
	" (SELECT coalesce(sum(events), 0)::bigint AS events,"                                   \
	"  coalesce(sum(events) FILTER (WHERE event_type = 'purchase'), 0)::bigint AS orders,"   \
	"  coalesce(sum(units), 0)::bigint AS units, coalesce(sum(revenue), 0.00) AS revenue"    \
	"  FROM event_day WHERE day" DAYS ") AS summed,"                                         \
	" (SELECT count(" users ") AS users FROM event_user_day WHERE day" DAYS ") AS people,"   \
	" (SELECT count(" sessions ") AS sessions,"                                              \
	"  count(" sessions ") FILTER (WHERE bought) AS buying"                                  \
	"  FROM event_session_day WHERE day" DAYS ") AS visits"

static int read_summary(struct request *rq)
{
	const struct window *in = input(rq);
	long long days = span_called(in->window)->days;

	/* Of one day nobody has to be told apart. */
	if (days == 1)
		return reply_row(rq, query(rq, SUMMARY("*", "*"), in->window, days));
	return reply_row(
	    rq, query(rq, SUMMARY("DISTINCT user_id", "DISTINCT session_id"), in->window, days));
}

/* The log's own time: events of the last minute that are still on their way are not in it. */
static int read_realtime(struct request *rq)
{
	long long waiting = events_waiting(rq, SHOP);

	return reply_row(rq,
	    query(rq,
		"WITH by_user AS (SELECT count(*) AS events,"
		"  count(*) FILTER (WHERE event_type = 'purchase') AS orders,"
		"  sum(total_amount) FILTER (WHERE event_type = 'purchase') AS revenue FROM events"
		"  WHERE timestamp > now() - $1::integer * interval '1 second' AND timestamp <= "
		"now()"
		"  GROUP BY user_id),"
		" took AS (SELECT le_ms, sum(sum(events)) OVER (ORDER BY le_ms) AS until,"
		"  sum(sum(events)) OVER () AS every FROM event_latency"
		"  WHERE minute > now() - interval '2 minutes' GROUP BY le_ms)"
		" SELECT coalesce(sum(events), 0)::bigint AS events,"
		" round(coalesce(sum(events), 0) / $1::integer, 2) AS events_per_second,"
		" coalesce(sum(orders), 0)::bigint AS orders,"
		" coalesce(sum(revenue), 0.00) AS revenue, count(*) AS active_users,"
		" (SELECT min(le_ms) FROM took WHERE until >= 0.95 * every) AS p95_ms,"
		" nullif($2, -1) AS lag,"
		" (SELECT max(at) FROM event_offset WHERE stream = $3) AS applied_at FROM by_user",
		SECONDS, waiting, SHOP));
}

/* clang-format off */
const struct feature metrics_feature = { .name = "metrics", .doc = "What the shop's events add up to.", .routes = ROUTES(
	{ ROUTE(GET, "/api/metrics/summary", "Sum up today, or a week", ANYONE, read_summary),
	    .takes = &summary_asked, .gives = &summary, .digested = true,
	    .cached = { .key = "metrics:summary:{window}", .seconds = 2 } },
	{ ROUTE(GET, "/api/metrics/timeline", "Count events and sales step by step", ANYONE, read_timeline),
	    .takes = &timeline_asked, .gives = &timeline_shape, .digested = true,
	    .cached = { .key = "metrics:timeline:{window}:{step}", .seconds = 2 } },
	{ ROUTE(GET, "/api/metrics/top-products", "List what sells best", ANYONE, read_top_products),
	    .takes = &products_asked, .gives = &top_products_shape, .digested = true,
	    .cached = { .key = "metrics:top:{window}:{limit}", .seconds = 5 } },
	{ ROUTE(GET, "/api/metrics/by-category", "Sum up sales by category", ANYONE, read_by_category),
	    .takes = &window_asked, .gives = &by_category_shape, .digested = true,
	    .cached = { .key = "metrics:categories:{window}", .seconds = 5 } },
	{ ROUTE(GET, "/api/metrics/event-types", "Count events by type", ANYONE, read_event_types),
	    .takes = &window_asked, .gives = &event_types_shape, .digested = true,
	    .cached = { .key = "metrics:types:{window}", .seconds = 5 } },
	{ ROUTE(GET, "/api/metrics/realtime", "Look at the last minute", ANYONE, read_realtime),
	    .gives = &realtime, .digested = true,
	    .cached = { .key = "metrics:realtime", .seconds = 1 } }) };
/* clang-format on */
