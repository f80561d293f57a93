/* health.c - does this process answer, and does what it stands on. */
#include <string.h>

#include "base/clock.h"
#include "core/core.h"
#include "core/serve/health.h"

struct liveness {
	const char *status;
};
struct check {
	const char *status;
	double response_time_ms;
};
struct event_check {
	const char *status;
	long long waiting_bytes;
};
struct checks {
	const struct check *database, *redis;
	const struct event_check *events;
};
struct health {
	const char *status;
	const struct instance *instance;
	const struct checks *checks;
};

static const char *const alive[] = { "alive", NULL }, *const is_ready[] = { "ready", NULL };
static const char *const well_or_not[] = { "healthy", "unhealthy", NULL };
static const char *const how_well[] = { "healthy", "degraded", "unhealthy", NULL };

/* clang-format off */
static const struct shape liveness = SHAPE(struct liveness,
	{ FIELD(struct liveness, status), .one_of = alive });
static const struct shape readiness = SHAPE_NAMED("readiness", struct liveness,
	{ FIELD(struct liveness, status), .one_of = is_ready });
static const struct shape instance = SHAPE(struct instance,
	{ FIELD(struct instance, id) },
	{ FIELD(struct instance, name) });
static const struct shape check = SHAPE(struct check,
	{ FIELD(struct check, status), .one_of = well_or_not },
	{ FIELD(struct check, response_time_ms), .doc = "How long it took to answer just now." });
static const struct shape event_check = SHAPE(struct event_check,
	{ FIELD(struct event_check, status), .one_of = well_or_not },
	{ FIELD(struct event_check, waiting_bytes), .doc = "Of events that were taken while their broker was away, and wait for it in the spool." });
static const struct shape checks = SHAPE(struct checks,
	{ FIELD_AS(struct checks, database, OBJECT), .of = &check },
	{ FIELD_AS(struct checks, redis, OBJECT), .of = &check },
	{ FIELD_AS(struct checks, events, OBJECT), .of = &event_check });
static const struct shape health = SHAPE(struct health,
	{ FIELD(struct health, status), .one_of = how_well },
	{ FIELD_AS(struct health, instance, OBJECT), .of = &instance, .nullable = true, .doc = "Told inside alone." },
	{ FIELD_AS(struct health, checks, OBJECT), .of = &checks, .nullable = true, .doc = "Told inside alone." });
/* clang-format on */

static struct check ask(bool (*probe)(struct request *), struct request *rq)
{
	int64_t asked = clock_now();
	bool well = probe(rq);

	return (struct check){ .status = well ? "healthy" : "unhealthy",
		.response_time_ms = (double)(clock_now() - asked) / 1000 };
}

static bool is_well(const struct check *asked)
{
	return strcmp(asked->status, "healthy") == 0;
}

static int live(struct request *rq)
{
	return reply_struct(rq, &(struct liveness){ .status = "alive" });
}

/* Ready without Redis, which costs only time; not without PostgreSQL. */
static int ready(struct request *rq)
{
	if (!health_database(rq))
		return reply_problem(rq, 503, "The database cannot be reached just now.");
	return reply_struct(rq, &(struct liveness){ .status = "ready" });
}

static int read_health(struct request *rq)
{
	const struct check database = ask(health_database, rq), redis = ask(health_redis, rq);
	const struct instance here = health_instance(rq);
	const long long waiting = health_events_waiting(rq);
	const struct event_check events = { waiting == 0 ? "healthy" : "unhealthy", waiting };
	const struct checks asked = { &database, &redis, &events };
	const bool inside = health_is_for_insiders(rq);
	const struct health answer = { .instance = inside ? &here : NULL,
		.checks = inside ? &asked : NULL,
		.status = !is_well(&database)               ? "unhealthy"
			  : is_well(&redis) && waiting == 0 ? "healthy"
							    : "degraded" };

	return reply_struct_as(rq, is_well(&database) ? 200 : 503, &answer);
}

/* clang-format off */
const struct feature health_feature = { .name = "health", .doc = "For load balancers, monitors and people.", .routes = ROUTES(
	{ ROUTE(GET, "/live", "Does the process answer", ANYONE, live), .gives = &liveness,
	    .quota = QUOTA_PROBE },
	{ ROUTE(GET, "/ready", "May it be sent requests", ANYONE, ready), .gives = &readiness,
	    .quota = QUOTA_PROBE },
	{ ROUTE(GET, "/health", "How is everything it stands on", ANYONE, read_health),
	    .gives = &health, .also = 503, .quota = QUOTA_PROBE }) };
/* clang-format on */
