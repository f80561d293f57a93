/* health.c - does this process answer, and does what it stands on. */
#include "base/clock.h"
#include "core/answer/json.h"
#include "core/core.h"
#include "core/serve/health.h"

/* What one dependency said when asked just now. */
struct answered {
	bool well;
	int64_t took_us;
};

static struct answered ask(bool (*probe)(struct request *), struct request *rq)
{
	int64_t asked = clock_now();
	bool well = probe(rq);

	return (struct answered){ well, clock_now() - asked };
}

static void write_check(struct buffer *out, const char *name, struct answered answered)
{
	json_key_open(out, name, '{');
	json_key_text(out, "status", answered.well ? "healthy" : "unhealthy");
	json_key(out, "response_time_ms");
	json_ms(out, answered.took_us);
	json_close(out, '}');
}

static int live(struct request *rq)
{
	static const char alive[] = "{\"status\":\"alive\"}";

	return reply_json(rq, 200, alive, sizeof(alive) - 1);
}

/* Ready without Redis, which costs only time; not without PostgreSQL. */
static int ready(struct request *rq)
{
	static const char is_ready[] = "{\"status\":\"ready\"}";

	if (!health_database(rq))
		return reply_problem(rq, 503, "The database cannot be reached just now.");
	return reply_json(rq, 200, is_ready, sizeof(is_ready) - 1);
}

static int health(struct request *rq)
{
	struct answered database = ask(health_database, rq);
	struct answered redis = ask(health_redis, rq);
	struct buffer out;

	buffer_start(&out, request_arena(rq), 256);
	json_open(&out, '{');
	json_key_text(&out, "status",
	    !database.well ? "unhealthy"
	    : redis.well   ? "healthy"
			   : "degraded");
	json_key_open(&out, "instance", '{');
	json_key_text(&out, "id", health_instance(rq).id);
	json_key_text(&out, "name", health_instance(rq).name);
	json_close(&out, '}');
	json_key_open(&out, "checks", '{');
	write_check(&out, "database", database);
	write_check(&out, "redis", redis);
	json_close(&out, '}');
	json_close(&out, '}');
	return reply_json(rq, database.well ? 200 : 503, out.data, out.length);
}

const struct feature health_feature = { .name = "health",
	.doc = "For load balancers, monitors and people.",
	.routes = ROUTES({ ROUTE(GET, "/live", "Does the process answer", ANYONE, live),
			     .media = "application/json" },
	    { ROUTE(GET, "/ready", "May it be sent requests", ANYONE, ready),
		.media = "application/json" },
	    { ROUTE(GET, "/health", "How is everything it stands on", ANYONE, health),
		.media = "application/json", .also = 503 }) };
