/* lifecycle.c - what a person wishes for a pool, beside the configuration. */
#include "supervisor/pool/lifecycle.h"

#include "base/log.h"
#include "supervisor/pool/autoscale.h"
#include "supervisor/pool/drain.h"
#include "supervisor/pool/generation.h"
#include "supervisor/record/events.h"

#define WORKERS_MOST 512 /* as the setting `workers` */

static const char *refuse(const struct pool *pool)
{
	int kind = pool->generation->plan.conf->kind;

	if (kind == KIND_SERVICE || kind == KIND_TASK)
		return "a service or a task is always one process";
	if (pool->drained)
		return "the pool is drained; resume it first";
	return NULL;
}

static void scale(struct pool *pool, size_t workers, int64_t now)
{
	size_t before = generation_staying(pool->generation);
	const char *again = pool->scaled == 0 ? ", as configured" : "";

	event_pool(EVENT_SCALE, pool, "from %zu to %zu workers%s", before, workers, again);
	log_info("%s: from %zu to %zu workers%s", pool->name, before, workers, again);
	for (struct generation *g = pool->newest; g != NULL; g = g->older)
		if (g->phase == GENERATION_SERVING || g->phase == GENERATION_COMING)
			generation_scale(g, workers, now);
}

const char *lifecycle_scale(struct pool *pool, long long workers, int64_t now)
{
	const char *wrong = refuse(pool);

	if (wrong != NULL)
		return wrong;
	if (workers != LIFECYCLE_AS_CONFIGURED && (workers < 1 || workers > WORKERS_MOST))
		return "a pool can have 1 to 512 workers";
	pool->scaled = workers != LIFECYCLE_AS_CONFIGURED ? workers : 0;
	scale(pool, generation_wanted(pool, pool->generation->plan.conf), now);
	return NULL;
}

const char *lifecycle_drain(struct pool *pool, int64_t now)
{
	if (pool->generation->plan.conf->kind == KIND_TASK)
		return "a task cannot be drained";
	if (pool->newest->phase == GENERATION_COMING)
		return "a reload is under way";
	if (pool->drained)
		return NULL;
	event_pool(EVENT_DRAIN, pool, "%s", "takes nothing new");
	log_info("%s: takes nothing new, and finishes what it has", pool->name);
	pool->drained = true;
	drain_retire(pool->generation, now);
	return NULL;
}

size_t lifecycle_drain_all(struct pools *pools, int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < pools->count; i++)
		if (pools->pool[i]->generation->plan.conf->kind == KIND_FASTCGI)
			count += lifecycle_drain(pools->pool[i], now) == NULL;
	return count;
}

void lifecycle_scale_all(struct pools *pools, int by, int64_t now)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct pool *pool = pools->pool[i];
		long long workers = (long long)generation_staying(pool->generation) + by;

		if (pool->generation->plan.conf->kind != KIND_FASTCGI)
			continue;
		if (autoscale_is_on(pool))
			log_info("%s: follows demand; ostlerctl scale fixes it", pool->name);
		else if (lifecycle_scale(pool, workers, now) != NULL)
			log_info("%s: stays at %lld workers", pool->name, workers - by);
	}
}
