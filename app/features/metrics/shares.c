/*
 * shares.c - what a window is made of: the products and categories that sold best, the types of
 * events.
 *
 * Both kinds of windows are answered alike, from sums by the minute or by the day.
 */
#include "features/metrics/metrics.h"

struct products {
	const char *window;
	long long limit;
};
struct product {
	const char *product_id, *name, *category, *revenue;
	long long units;
};
struct category {
	const char *category, *revenue;
	long long orders, units;
};
struct type {
	const char *event_type;
	long long events;
};

#define PRODUCTS_MOST   100
#define CATEGORIES_MOST 100
#define TYPES           5

/* clang-format off */
static const char *const types[] = { "page_view", "search", "add_to_cart", "remove_from_cart", "purchase", NULL };

const struct shape window_asked = SHAPE_NAMED("metrics_window", struct window,
	{ FIELD(struct window, window), .one_of = span_words, .preset = "24h", .doc = SPAN_DOC });
const struct shape products_asked = SHAPE_NAMED("metrics_products", struct products,
	{ FIELD(struct products, window), .one_of = span_words, .preset = "24h", .doc = SPAN_DOC },
	{ FIELD(struct products, limit), .min = 1, .max = PRODUCTS_MOST, .preset = "10" });

static const struct shape product = SHAPE(struct product,
	{ FIELD(struct product, product_id) },
	{ FIELD(struct product, name), .doc = "As the newest event called it." },
	{ FIELD(struct product, category) },
	{ FIELD(struct product, units) },
	{ FIELD_AS(struct product, revenue, MONEY) });
const struct shape top_products_shape = SHAPE_NAMED("top_products", struct items,
	{ FIELD_AS(struct items, items, OBJECT), .of = &product, .many = PRODUCTS_MOST, .doc = "What was bought, by revenue, the highest first." });

static const struct shape category = SHAPE(struct category,
	{ FIELD(struct category, category), .doc = "As it was when the product was bought." },
	{ FIELD(struct category, orders) },
	{ FIELD(struct category, units) },
	{ FIELD_AS(struct category, revenue, MONEY) });
const struct shape by_category_shape = SHAPE_NAMED("by_category", struct items,
	{ FIELD_AS(struct items, items, OBJECT), .of = &category, .many = CATEGORIES_MOST, .doc = "By revenue, the highest first." });

static const struct shape type = SHAPE_NAMED("event_type", struct type,
	{ FIELD(struct type, event_type), .one_of = types },
	{ FIELD(struct type, events) });
const struct shape event_types_shape = SHAPE_NAMED("event_types", struct items,
	{ FIELD_AS(struct items, items, OBJECT), .of = &type, .least = TYPES, .many = TYPES, .doc = "All types, always in this order." });
/* clang-format on */

/*
 * What is summed up by the minute and by the day is asked in the same words: of a
 * table and its time ($1: how much of it), for at MOST so many items ($2).  Of 60
 * minutes the present one is the last, though not over.
 */
#define IN_MINUTES(sql) sql("minute", "minute > now() - $1 * interval '1 minute'")
#define IN_DAYS(sql)    sql("day", "day > (now() AT TIME ZONE 'UTC')::date - $1::integer")

#define REPLY_SPAN(rq, span, sql, most)                                                          \
	do {                                                                                     \
		if ((span)->days == 0)                                                           \
			return reply_row(rq, query(rq, IN_MINUTES(sql), (span)->minutes, most)); \
		return reply_row(rq, query(rq, IN_DAYS(sql), (span)->days, most));               \
	} while (0)

/* A row is there also when nothing was sold: a list without items, no 404. */
#define WHATEVER_IS_THERE " FROM (SELECT) AS always LEFT JOIN ("

#define TOP(time, since)                                                             \
	"SELECT product_id AS \"items.product_id\", product_name AS \"items.name\"," \
	" category AS \"items.category\", units AS \"items.units\","                 \
	" revenue AS \"items.revenue\"" WHATEVER_IS_THERE                            \
	" SELECT product_id, product_name, p.category, units, revenue FROM"          \
	"  (SELECT product_id, sum(units)::bigint AS units, sum(revenue) AS revenue" \
	"   FROM product_" time " WHERE " since " GROUP BY product_id"               \
	"   ORDER BY revenue DESC, product_id LIMIT $2) AS sold JOIN products AS p"  \
	"  USING (product_id)) AS top ON true ORDER BY revenue DESC, product_id"

int read_top_products(struct request *rq)
{
	const struct products *in = input(rq);

	REPLY_SPAN(rq, span_called(in->window), TOP, in->limit);
}

#define CATEGORIES(time, since)                                                         \
	"SELECT category AS \"items.category\", orders AS \"items.orders\","            \
	" units AS \"items.units\", revenue AS \"items.revenue\"" WHATEVER_IS_THERE     \
	" SELECT category, sum(orders)::bigint AS orders, sum(units)::bigint AS units," \
	"  sum(revenue) AS revenue FROM product_" time " WHERE " since                  \
	"  GROUP BY category ORDER BY revenue DESC, category LIMIT $2) AS sold ON true" \
	" ORDER BY revenue DESC, category"

int read_by_category(struct request *rq)
{
	const struct window *in = input(rq);

	REPLY_SPAN(rq, span_called(in->window), CATEGORIES, CATEGORIES_MOST);
}

#define EVERY_TYPE(time, since)                                                       \
	"SELECT type AS \"items.event_type\","                                        \
	" coalesce(events, 0) AS \"items.events\""                                    \
	" FROM unnest(enum_range(NULL::event_type)) AS every (type) LEFT JOIN"        \
	" (SELECT event_type AS type, sum(events)::bigint AS events FROM event_" time \
	"  WHERE " since " GROUP BY event_type) AS had USING (type) ORDER BY type LIMIT $2"

int read_event_types(struct request *rq)
{
	const struct window *in = input(rq);

	REPLY_SPAN(rq, span_called(in->window), EVERY_TYPE, TYPES);
}
