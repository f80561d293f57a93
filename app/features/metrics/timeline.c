/*
 * timeline.c - events and sales step by step, up to now.
 *
 * Steps begin at multiples of themselves, so that a point keeps its place while
 * time goes on, and what was answered of it stays true.
 */
#include <string.h>

#include "features/metrics/metrics.h"

struct steps {
	const char *window, *step;
};
struct point {
	const char *at, *revenue;
	long long events, orders;
};

#define POINTS_MOST 1440

/* clang-format off */
static const char *const step_names[] = { "1m", "5m", "15m", "1h", "1d", NULL };

const struct shape timeline_asked = SHAPE_NAMED("metrics_steps", struct steps,
	{ FIELD(struct steps, window), .one_of = span_words_of_lines, .preset = "1h", .doc = "The last so long, up to now." },
	{ FIELD(struct steps, step), .one_of = step_names,
	    .doc = "From point to point: not longer than the window, and at most 1,440 of them. Unless given, 1m of an hour, 5m of six, 15m of a day, 1h of a week." });

static const struct shape point = SHAPE(struct point,
	{ FIELD_AS(struct point, at, TIME), .doc = "When the step began." },
	{ FIELD(struct point, events) },
	{ FIELD(struct point, orders) },
	{ FIELD_AS(struct point, revenue, MONEY) });
const struct shape timeline_shape = SHAPE_NAMED("timeline", struct items,
	{ FIELD_AS(struct items, items, OBJECT), .of = &point, .least = 1, .many = POINTS_MOST,
	    .doc = "Every step, also those without an event; the last one is not over yet." });
/* clang-format on */

static const struct step {
	const char *name;
	long long minutes;
} steps[] = { { "1m", 1 }, { "5m", 5 }, { "15m", 15 }, { "1h", 60 }, { "1d", 1440 } };

static const struct step *step_called(const char *name)
{
	const struct step *step = steps;

	while (strcmp(step->name, name) != 0)
		step++;
	return step;
}

int read_timeline(struct request *rq)
{
	const struct steps *in = input(rq);
	const struct span *span = span_called(in->window);
	const struct step *step = step_called(in->step != NULL ? in->step : span->step);
	long long minutes = span->minutes + span->days * 1440, points = minutes / step->minutes;

	if (points < 1)
		return reply_fault(rq, "step", "must not be longer than \"window\"");
	if (points > POINTS_MOST)
		return reply_fault(rq, "step", "makes more than 1,440 points of this window");
	return reply_row(
	    rq, query(rq,
		    "WITH line AS (SELECT $1 * interval '1 minute' AS step,"
		    "  date_bin($1 * interval '1 minute', now(), 'epoch'::timestamptz) AS last),"
		    " had AS (SELECT date_bin(step, minute, 'epoch'::timestamptz) AS at,"
		    "  sum(events)::bigint AS events, sum(revenue) AS revenue,"
		    "  sum(events) FILTER (WHERE event_type = 'purchase')::bigint AS orders"
		    "  FROM line, event_minute WHERE minute >= last - ($2 - 1) * step"
		    "  AND minute < last + step GROUP BY 1)"
		    " SELECT at AS \"items.at\", coalesce(events, 0) AS \"items.events\","
		    " coalesce(orders, 0) AS \"items.orders\","
		    " coalesce(revenue, 0.00) AS \"items.revenue\""
		    " FROM line, generate_series(last - ($2 - 1) * step, last, step) AS every (at)"
		    " LEFT JOIN had USING (at) ORDER BY at",
		    step->minutes, points));
}
