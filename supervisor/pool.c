/* pool.c - the table of pools and workers: who exists, in which state, since when. */
#include "supervisor/pool.h"

#include <string.h>

#include "base/log.h"

const char *const worker_state_names[] = { [WORKER_WAITING] = "waiting",
	[WORKER_STARTING] = "starting",
	[WORKER_READY] = "ready",
	[WORKER_STOPPING] = "stopping",
	[WORKER_KILLED] = "killed",
	[WORKER_DONE] = "done",
	[WORKER_STOPPED] = "stopped",
	NULL };

const char *const pool_state_names[] = { [POOL_WAITING] = "waiting",
	[POOL_STARTING] = "starting",
	[POOL_READY] = "ready",
	[POOL_DEGRADED] = "degraded",
	[POOL_FAILING] = "failing",
	[POOL_DONE] = "done",
	[POOL_STOPPING] = "stopping",
	[POOL_STOPPED] = "stopped",
	NULL };

#define TO(state) (1U << (state))

/*
 * From each state the states it can move to.  A process may die in any state
 * that has one, which leads back to WAITING, or to STOPPED once all shall end.
 */
static const unsigned moves[] = {
	[WORKER_WAITING] = TO(WORKER_STARTING) | TO(WORKER_STOPPED),
	[WORKER_STARTING] = TO(WORKER_READY) | TO(WORKER_STOPPING) | TO(WORKER_WAITING) |
			    TO(WORKER_DONE) | TO(WORKER_STOPPED),
	[WORKER_READY] = TO(WORKER_STOPPING) | TO(WORKER_WAITING) | TO(WORKER_STOPPED),
	[WORKER_STOPPING] = TO(WORKER_KILLED) | TO(WORKER_WAITING) | TO(WORKER_DONE) |
			    TO(WORKER_STOPPED),
	[WORKER_KILLED] = TO(WORKER_WAITING) | TO(WORKER_STOPPED),
	[WORKER_DONE] = 0,
	[WORKER_STOPPED] = 0,
};

static void make_workers(struct arena *arena, struct generation *generation)
{
	const struct pool *pool = generation->pool;

	generation->count = (size_t)generation->plan.conf->workers;
	generation->worker = arena_alloc(arena, generation->count * sizeof(struct worker));
	for (size_t i = 0; i < generation->count; i++)
		generation->worker[i] = (struct worker){
			.generation = generation,
			.slot = i + 1,
			.name = generation->count == 1
				    ? pool->name
				    : arena_print(arena, "%s %zu", pool->name, i + 1),
			.state = WORKER_WAITING,
			.report.fd = -1,
			.probe.fd = -1,
		};
}

static bool make_pool(struct arena *arena, struct pool *pool, const struct pool_conf *conf,
    const struct plan_critic *critic)
{
	struct generation *generation = arena_alloc(arena, sizeof(*generation));

	pool->name = conf->named.name;
	pool->generation = generation;
	generation->pool = pool;
	generation->number = 1;
	if (!plan_make(arena, conf, critic, &generation->plan))
		return false;
	make_workers(arena, generation);
	return true;
}

static void tie(struct arena *arena, struct pools *pools, const struct conf *conf)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct pool *pool = &pools->pool[i];
		const struct words *after = &conf_pool(conf, i)->after;

		pool->after_count = after->count;
		pool->after = arena_alloc(arena, (after->count + 1) * sizeof(*pool->after));
		for (size_t j = 0; j < after->count; j++)
			pool->after[j] = &pools->pool[conf_find(conf, after->word[j])];
	}
}

/* Warshall's algorithm: whoever follows MIDDLE also follows all that MIDDLE follows. */
void pools_put_in_order(struct arena *arena, struct pools *pools)
{
	size_t n = pools->count;
	bool *follows = arena_alloc(arena, n * n * sizeof(*follows));

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < pools->pool[i].after_count; j++)
			follows[i * n + (size_t)(pools->pool[i].after[j] - pools->pool)] = true;
	for (size_t middle = 0; middle < n; middle++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n && follows[i * n + middle]; j++)
				follows[i * n + j] = follows[i * n + j] || follows[middle * n + j];
	pools->follows = follows;
}

struct pools *pools_new(
    struct arena *arena, const struct conf *conf, const struct plan_critic *critic)
{
	struct pools *pools = arena_alloc(arena, sizeof(*pools));

	pools->count = conf->pools.count;
	pools->pool = arena_alloc(arena, pools->count * sizeof(*pools->pool));
	for (size_t i = 0; i < pools->count; i++) {
		if (!make_pool(arena, &pools->pool[i], conf_pool(conf, i), critic))
			return NULL;
		pools->worker_count += pools->pool[i].generation->count;
	}
	tie(arena, pools, conf);
	pools_put_in_order(arena, pools);
	return pools;
}

void worker_becomes(struct worker *worker, enum worker_state next, int64_t now)
{
	if ((moves[worker->state] & TO(next)) == 0)
		bug("%s cannot become %s: it is %s", worker->name, worker_state_names[next],
		    worker_state_names[worker->state]);
	worker->state = next;
	worker->since = now;
	if (next == WORKER_READY)
		worker->ready_since = now;
	log_debug("%s: %s", worker->name, worker_state_names[next]);
}

bool worker_is_alive(const struct worker *worker)
{
	return worker->pid != 0;
}

static size_t count_in(const struct pool *pool, enum worker_state state)
{
	const struct generation *generation = pool->generation;
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++)
		count += generation->worker[i].state == state;
	return count;
}

bool pool_is_ready(const struct pool *pool)
{
	return count_in(pool, WORKER_READY) + count_in(pool, WORKER_DONE) ==
	       pool->generation->count;
}

bool pool_has_begun(const struct pool *pool)
{
	const struct generation *generation = pool->generation;

	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i].started != 0)
			return true;
	return false;
}

bool pool_is_at_rest(const struct pool *pool)
{
	const struct generation *generation = pool->generation;

	for (size_t i = 0; i < generation->count; i++)
		if (worker_is_alive(&generation->worker[i]))
			return false;
	return true;
}

static bool has_failed(const struct pool *pool)
{
	const struct generation *generation = pool->generation;

	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i].failures > 0)
			return true;
	return false;
}

enum pool_state pool_state(const struct pools *pools, const struct pool *pool)
{
	if (count_in(pool, WORKER_DONE) > 0)
		return POOL_DONE;
	if (pools->stopping != STOP_NOT)
		return pool_is_at_rest(pool) ? POOL_STOPPED : POOL_STOPPING;
	if (pool_is_ready(pool))
		return POOL_READY;
	if (count_in(pool, WORKER_READY) > 0)
		return POOL_DEGRADED;
	if (has_failed(pool))
		return POOL_FAILING;
	return pool_has_begun(pool) ? POOL_STARTING : POOL_WAITING;
}

bool pool_comes_after(const struct pools *pools, const struct pool *pool, const struct pool *other)
{
	return pools
	    ->follows[(size_t)(pool - pools->pool) * pools->count + (size_t)(other - pools->pool)];
}

struct worker *pools_find_worker(const struct pools *pools, pid_t pid)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct generation *generation = pools->pool[i].generation;

		for (size_t j = 0; j < generation->count; j++)
			if (generation->worker[j].pid == pid && pid > 0)
				return &generation->worker[j];
	}
	return NULL;
}

struct worker *pools_find_probe(const struct pools *pools, pid_t pid)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct generation *generation = pools->pool[i].generation;

		for (size_t j = 0; j < generation->count; j++)
			if (generation->worker[j].probe.pid == pid && pid > 0)
				return &generation->worker[j];
	}
	return NULL;
}

void pools_stop(struct pools *pools, enum stopping stopping, int64_t now)
{
	if (stopping <= pools->stopping)
		return;
	pools->stopping = stopping;
	pools->stopping_since = now;
}

bool pools_have_stopped(const struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		if (count_in(&pools->pool[i], WORKER_STOPPED) +
			count_in(&pools->pool[i], WORKER_DONE) !=
		    pools->pool[i].generation->count)
			return false;
	return pools->stopping != STOP_NOT;
}

bool pools_are_ready(const struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		if (!pool_is_ready(&pools->pool[i]))
			return false;
	return true;
}
