/* metrics.c - everything that is counted, in OpenMetrics text. */
#include "supervisor/record/metrics.h"

#include <string.h>

#include "base/clock.h"
#include "supervisor/pool/autoscale.h"
#include "supervisor/pool/generation.h"
#include "supervisor/record/events.h"
#include "supervisor/record/ledger.h"
#include "supervisor/record/work.h"

/* Limits of the histogram's buckets: each power of four µs, from 0.256 ms to 268 s, is exact. */
#define LIMIT_FIRST 8
#define LIMIT_LAST  28

/* What is gathered of a pool before anything is written: a family has to stand together. */
struct gathered {
	const struct pool *pool;
	struct figures figures;
	struct work work;
	long long ready, staying;
	long long least, most, wanted; /* of one whose number follows demand; otherwise -1 */
};

struct writing {
	struct buffer *out;
	struct gathered *pool;
	size_t count;
};

static void gather_workers(struct gathered *pool)
{
	for (const struct generation *g = pool->pool->newest; g != NULL; g = g->older)
		for (size_t i = 0; i < g->count; i++)
			pool->ready += g->worker[i]->state == WORKER_READY;
}

static void gather(struct gathered *gathered, const struct pool *pool)
{
	const struct generation *serving = pool->generation;

	*gathered = (struct gathered){ .pool = pool, .least = -1, .most = -1, .wanted = -1 };
	work_of_pool(pool, &gathered->work);
	ledger_total(pool->ledger, &gathered->figures);
	gather_workers(gathered);
	if (serving != NULL)
		gathered->staying = (long long)generation_staying(serving);
	if (!autoscale_is_on(pool))
		return;
	gathered->least = serving->plan.conf->scale.min;
	gathered->most = serving->plan.conf->scale.max;
	if (autoscale_record(pool) != NULL)
		gathered->wanted = autoscale_record(pool)->advice.wanted;
}

static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_print(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* A number of each pool; one that is not known is left out. */
static void write_gauge(const struct writing *w, const char *name, const char *help, size_t offset)
{
	head(w->out, name, "gauge", help);
	for (size_t i = 0; i < w->count; i++) {
		const struct gathered *pool = &w->pool[i];
		long long value;

		memcpy(&value, (const char *)pool + offset, sizeof(value));
		if (value >= 0)
			buffer_print(
			    w->out, "%s{pool=\"%s\"} %lld\n", name, pool->pool->name, value);
	}
}

static void write_counter(
    const struct writing *w, const char *name, const char *help, size_t offset)
{
	head(w->out, name, "counter", help);
	for (size_t i = 0; i < w->count; i++) {
		uint64_t value;

		memcpy(&value, (const char *)&w->pool[i].figures + offset, sizeof(value));
		buffer_print(w->out, "%s_total{pool=\"%s\"} %llu\n", name, w->pool[i].pool->name,
		    (unsigned long long)value);
	}
}

static void write_histogram(const struct writing *w)
{
	static const char name[] = "ostler_request_seconds";

	head(w->out, name, "histogram", "how long finished requests took");
	for (size_t i = 0; i < w->count; i++) {
		const struct figures *figures = &w->pool[i].figures;
		const char *pool = w->pool[i].pool->name;
		unsigned long long all = histogram_count(figures->bucket);

		for (unsigned power = LIMIT_FIRST; power <= LIMIT_LAST; power += 2) {
			uint64_t limit = UINT64_C(1) << power;

			buffer_print(w->out, "%s_bucket{pool=\"%s\",le=\"%.6f\"} %llu\n", name,
			    pool, (double)limit / 1e6,
			    (unsigned long long)histogram_below(figures->bucket, limit));
		}
		buffer_print(w->out, "%s_bucket{pool=\"%s\",le=\"+Inf\"} %llu\n", name, pool, all);
		buffer_print(w->out, "%s_sum{pool=\"%s\"} %.6f\n", name, pool,
		    (double)figures->microseconds / 1e6);
		buffer_print(w->out, "%s_count{pool=\"%s\"} %llu\n", name, pool, all);
	}
}

static void write_events(const struct writing *w)
{
	static const char name[] = "ostler_events";
	const struct event_tally *tally = NULL;

	head(w->out, name, "counter", "what has happened to pools and to ostlerd (pool is empty)");
	while ((tally = events_tally(tally)) != NULL)
		for (size_t kind = 0; kind < EVENT_KINDS; kind++)
			if (tally->count[kind] > 0)
				buffer_print(w->out, "%s_total{pool=\"%s\",event=\"%s\"} %llu\n",
				    name, tally->pool, event_names[kind], tally->count[kind]);
}

static void write_failures(const struct writing *w)
{
	static const char name[] = "ostler_worker_failures";
	const struct event_tally *tally = NULL;

	head(w->out, name, "counter", "ends of processes that should not have been");
	while ((tally = events_tally(tally)) != NULL)
		if (tally->pool[0] != '\0')
			buffer_print(w->out, "%s_total{pool=\"%s\"} %llu\n", name, tally->pool,
			    tally->failures);
}

static void write_decisions(const struct writing *w)
{
	static const char name[] = "ostler_scale_decisions";

	head(w->out, name, "counter",
	    "how often the number of workers was changed, or kept, and why");
	for (size_t i = 0; i < w->count; i++) {
		const struct autoscale_record *record = autoscale_record(w->pool[i].pool);

		for (size_t why = 0; record != NULL && why < SCALE_WHYS; why++)
			if (record->count[why] > 0)
				buffer_print(w->out, "%s_total{pool=\"%s\",why=\"%s\"} %llu\n",
				    name, w->pool[i].pool->name, scale_why_names[why],
				    record->count[why]);
	}
}

/* Whether the counter NUMBER of pool INDEX was written already, with an earlier pool's. */
static bool was_written(const struct writing *w, size_t index, const char *name)
{
	for (size_t i = 0; i < index; i++)
		for (size_t j = 0; j < w->pool[i].figures.counters; j++)
			if (strcmp(w->pool[i].figures.name[j], name) == 0)
				return true;
	return false;
}

static void write_own_counter(const struct writing *w, size_t from, const char *name, bool gauge)
{
	buffer_print(w->out, "# TYPE ostler_app_%s %s\n", name, gauge ? "gauge" : "counter");
	buffer_print(w->out, "# HELP ostler_app_%s counted by the workers themselves\n", name);
	for (size_t i = from; i < w->count; i++) {
		const struct figures *figures = &w->pool[i].figures;

		for (size_t j = 0; j < figures->counters; j++)
			if (strcmp(figures->name[j], name) == 0)
				buffer_print(w->out, "ostler_app_%s%s{pool=\"%s\"} %llu\n", name,
				    gauge ? "" : "_total", w->pool[i].pool->name,
				    (unsigned long long)figures->counter[j]);
	}
}

static void write_own_counters(const struct writing *w)
{
	for (size_t i = 0; i < w->count; i++)
		for (size_t j = 0; j < w->pool[i].figures.counters; j++)
			if (!was_written(w, i, w->pool[i].figures.name[j]))
				write_own_counter(
				    w, i, w->pool[i].figures.name[j], w->pool[i].figures.gauge[j]);
}

#define GAUGE(name, help, member)   write_gauge(w, name, help, offsetof(struct gathered, member))
#define COUNTER(name, help, member) write_counter(w, name, help, offsetof(struct figures, member))

static void write_all(const struct writing *w)
{
	GAUGE("ostler_workers", "workers that the pool shall have", staying);
	GAUGE("ostler_workers_min", "fewest that it may have, where demand decides", least);
	GAUGE("ostler_workers_max", "most that it may have", most);
	GAUGE("ostler_workers_wanted", "what demand would ask for without limits", wanted);
	GAUGE("ostler_workers_ready", "workers that are ready, of any generation", ready);
	GAUGE("ostler_busy", "threads at work on a request", work.busy);
	GAUGE("ostler_idle", "threads that wait for one", work.idle);
	GAUGE("ostler_memory_bytes", "memory of the pool's processes (PSS)", work.memory);
	GAUGE("ostler_queue", "connections that wait to be accepted", work.queue.waiting);
	GAUGE("ostler_backlog", "connections that may wait", work.queue.limit);
	COUNTER("ostler_requests", "requests that were finished", requests);
	COUNTER("ostler_requests_aborted", "requests that ended with their worker", aborted);
	COUNTER("ostler_request_errors", "requests that were answered with a 5xx", errors);
	COUNTER("ostler_response_bytes", "bytes of answers", bytes);
	write_histogram(w);
	write_failures(w);
	write_events(w);
	write_decisions(w);
	write_own_counters(w);
	buffer_add_text(w->out, "# EOF\n");
}

void metrics_write(struct buffer *out, const struct pools *pools)
{
	struct writing writing = { .out = out, .count = pools->count };

	writing.pool = arena_alloc(out->arena, (pools->count + 1) * sizeof(*writing.pool));
	for (size_t i = 0; i < pools->count; i++)
		gather(&writing.pool[i], pools->pool[i]);
	write_all(&writing);
}
