/* wire_work.c - what workers do and what pools have done, as JSON. */
#include "supervisor/control/wire_work.h"

#include <string.h>

#include "base/clock.h"
#include "supervisor/control/wire_json.h"
#include "supervisor/pool/autoscale.h"
#include "supervisor/record/ledger.h"
#include "supervisor/record/work.h"

static json_t *known(long long value)
{
	return value >= 0 ? json_integer(value) : json_null();
}

/* A time is milliseconds, exact to the microsecond; of no request it is null. */
static json_t *milliseconds(double microseconds, bool any)
{
	return any ? json_real(microseconds / 1000) : json_null();
}

static json_t *request_of(const struct sight *sight, int64_t now)
{
	if (sight->since == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:f}", "method",
	    wire_text(sight->method, strlen(sight->method)), "route",
	    wire_text(sight->route, strlen(sight->route)), "seconds",
	    (double)(now - sight->since) / (double)SECOND_US);
}

void wire_add_work(json_t *object, const struct worker *worker, int64_t now)
{
	static const struct sight nothing = { .busy = -1, .idle = -1, .memory = -1 };
	const struct sight *sight = worker_is_alive(worker) ? &worker->sight : &nothing;

	json_object_set_new(object, "busy", known(sight->busy));
	json_object_set_new(object, "idle", known(sight->idle));
	json_object_set_new(object, "request", request_of(sight, now));
	json_object_set_new(object, "requests", known(board_requests(worker->board)));
	json_object_set_new(object, "memory", known(sight->memory));
}

/* Null: the number of workers is fixed. */
static json_t *scale_of(const struct pool *pool)
{
	const struct autoscale_record *record = autoscale_record(pool);
	const struct scale_conf *conf = &pool->generation->plan.conf->scale;

	if (!autoscale_is_on(pool))
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:o, s:s}", "min", (json_int_t)conf->min, "max",
	    (json_int_t)conf->max, "spare", (json_int_t)conf->spare, "wanted",
	    known(record != NULL ? record->advice.wanted : -1), "why",
	    scale_why_names[record != NULL ? record->advice.why : SCALE_ENOUGH]);
}

static void add_present(json_t *object, const struct pool *pool)
{
	struct work work;

	work_of_pool(pool, &work);
	json_object_set_new(object, "busy", known(work.busy));
	json_object_set_new(object, "idle", known(work.idle));
	json_object_set_new(object, "memory", known(work.memory));
	json_object_set_new(object, "queue", known(work.queue.waiting));
	json_object_set_new(object, "backlog", known(work.queue.limit));
}

static json_t *counters_of(const struct figures *figures)
{
	json_t *counters = json_object();

	for (size_t i = 0; i < figures->counters; i++)
		json_object_set_new(
		    counters, figures->name[i], json_integer((json_int_t)figures->counter[i]));
	return counters;
}

void wire_add_figures(json_t *object, const struct pool *pool, int64_t now)
{
	struct figures figures;
	struct pace pace;
	bool any;

	ledger_total(pool->ledger, &figures);
	ledger_pace(pool->ledger, now, &pace);
	any = pace.rate > 0;
	add_present(object, pool);
	json_object_set_new(object, "scale", scale_of(pool));
	json_object_set_new(object, "starts", json_integer((json_int_t)figures.starts));
	json_object_set_new(object, "failures", json_integer((json_int_t)figures.failures));
	json_object_set_new(object, "requests", json_integer((json_int_t)figures.requests));
	json_object_set_new(object, "aborted", json_integer((json_int_t)figures.aborted));
	json_object_set_new(object, "errors", json_integer((json_int_t)figures.errors));
	json_object_set_new(object, "bytes", json_integer((json_int_t)figures.bytes));
	json_object_set_new(object, "rate", json_real(pace.rate));
	json_object_set_new(object, "p50_ms", milliseconds(pace.p50, any));
	json_object_set_new(object, "p95_ms", milliseconds(pace.p95, any));
	json_object_set_new(object, "p99_ms", milliseconds(pace.p99, any));
	json_object_set_new(object, "counters", counters_of(&figures));
}
