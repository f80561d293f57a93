/* events.c - what visitors of a shop do: what such an event is, and how it comes in. */
#include "features/events/events.h"

/* clang-format off */
static const char *const types[] = { "page_view", "search", "add_to_cart", "remove_from_cart", "purchase", NULL };
static const char *const payments[] = { "credit_card", "debit_card", "pix", "boleto", "paypal", "gift_card", NULL };

/* What which type must have; beside that, each may have all. */
static const char *const of_a_cart[] = { "add_to_cart", "remove_from_cart", "purchase", NULL };
static const char *const of_a_purchase[] = { "purchase", NULL };
static const char *const of_a_search[] = { "search", NULL };

static const struct shape product = SHAPE_NAMED("event_product", struct event_product,
	{ FIELD(struct event_product, id), .min = 1, .max = 64, .required = true },
	{ FIELD(struct event_product, name), .min = 1, .max = 200, .required = true },
	{ FIELD(struct event_product, category), .min = 1, .max = 64, .required = true },
	{ FIELD_AS(struct event_product, price, MONEY), .max = 9999999, .required = true });

const struct shape event_shape = SHAPE(struct event,
	{ FIELD_AS(struct event, event_id, UUID), .required = true,
	    .doc = "Sent again, an event with an id that was applied has no effect." },
	{ FIELD(struct event, event_type), .one_of = types, .required = true },
	{ FIELD_AS(struct event, timestamp, TIME), .required = true,
	    .doc = "When it happened: not longer ago than events are kept, and not in the future." },
	{ FIELD(struct event, user_id), .min = 1, .max = 64, .required = true },
	{ FIELD(struct event, session_id), .min = 1, .max = 64, .required = true },
	{ FIELD_AS(struct event, product, OBJECT), .of = &product, .when = "event_type", .is = of_a_cart },
	{ FIELD(struct event, quantity), .min = 1, .max = 1000000, .when = "event_type", .is = of_a_purchase },
	{ FIELD_AS(struct event, total_amount, MONEY), .max = 9999999, .when = "event_type", .is = of_a_purchase },
	{ FIELD(struct event, payment_method), .one_of = payments, .when = "event_type", .is = of_a_purchase },
	{ FIELD(struct event, query), .min = 1, .max = 500, .when = "event_type", .is = of_a_search });

static const struct event_kind shop_events = { .name = "events", .summary = "What visitors of the shop do",
	.takes = &event_shape, .id = offsetof(struct event, event_id), .key = offsetof(struct event, user_id),
	.apply = events_apply, .refuse = events_refuse, .rebuild = "SELECT event_rebuild($1::date)",
	.simulation = &events_simulation };
/* clang-format on */

/* --- the days of the log --- */

static enum job_end turn_days(struct request *rq)
{
	(void)query(rq, "SELECT event_history(2, $1::integer)", event_days(rq));
	return job_done(rq);
}

/* clang-format off */
static const struct job_kind days = { JOB("events.days", "Make the days of the log that come, drop those that are over", turn_days),
	.idempotent = true, .timeout_s = 600 };
/* clang-format on */

/* --- coming in --- */

/* Taken is what the broker has on its disk: only then it is said. */
static int take_events(struct request *rq)
{
	const struct list *events = input_list(rq);

	return publish(rq, &shop_events, events) ? reply_taken(rq, events->count)
						 : reply_not_taken(rq);
}

/* clang-format off */
extern const struct feature events_feature;
const struct feature events_feature = { .name = "events", .doc = "What visitors of the shop do.", .routes = ROUTES(
	{ ROUTE(POST, "/api/events", "Take one event, or up to a thousand", ANYONE, take_events),
	    .takes = &event_shape, .bulk = 1000, .partial = true, .body_most = 4 << 20, .gives = &taken_shape, .or_gives = &partly_taken_shape,
	    .status = 202 }),
    .hears = EVENTS(&shop_events), .jobs = JOBS(&days),
    .crons = CRONS({ .name = "events.days", .spec = "17 * * * *", .kind = &days }) };
/* clang-format on */
