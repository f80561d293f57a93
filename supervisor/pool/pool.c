/* pool.c - the table of pools and workers: who exists, in which state, since when. */
#include "supervisor/pool/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

const char *const worker_state_names[] = { [WORKER_WAITING] = "waiting",
	[WORKER_STARTING] = "starting",
	[WORKER_READY] = "ready",
	[WORKER_DRAINING] = "draining",
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
	[POOL_DRAINING] = "draining",
	[POOL_DRAINED] = "drained",
	[POOL_STOPPING] = "stopping",
	[POOL_STOPPED] = "stopped",
	NULL };

const char *const generation_phase_names[] = { [GENERATION_COMING] = "coming",
	[GENERATION_SERVING] = "serving",
	[GENERATION_EMPTYING] = "emptying",
	[GENERATION_LEAVING] = "leaving",
	NULL };

#define TO(state) (1U << (state))

/*
 * From each state the states it can move to.  A process may die in any state
 * that has one, which leads back to WAITING, or to STOPPED once it shall not be
 * followed by another.  A seat that was given up can be taken again.
 */
static const unsigned moves[] = {
	[WORKER_WAITING] = TO(WORKER_STARTING) | TO(WORKER_STOPPED),
	[WORKER_STARTING] = TO(WORKER_READY) | TO(WORKER_DRAINING) | TO(WORKER_STOPPING) |
			    TO(WORKER_WAITING) | TO(WORKER_DONE) | TO(WORKER_STOPPED),
	[WORKER_READY] = TO(WORKER_DRAINING) | TO(WORKER_STOPPING) | TO(WORKER_WAITING) |
			 TO(WORKER_STOPPED),
	[WORKER_DRAINING] = TO(WORKER_STOPPING) | TO(WORKER_WAITING) | TO(WORKER_STOPPED),
	[WORKER_STOPPING] = TO(WORKER_KILLED) | TO(WORKER_WAITING) | TO(WORKER_DONE) |
			    TO(WORKER_STOPPED),
	[WORKER_KILLED] = TO(WORKER_WAITING) | TO(WORKER_STOPPED),
	[WORKER_DONE] = TO(WORKER_STOPPED),
	[WORKER_STOPPED] = TO(WORKER_WAITING),
};

struct pools *pools_new(void)
{
	struct pools *pools = calloc(1, sizeof(*pools));

	if (pools == NULL)
		die("out of memory");
	pools->order = arena_new(1024);
	return pools;
}

void pools_free(struct pools **pools)
{
	if (*pools == NULL)
		return;
	while ((*pools)->count > 0)
		pools_remove(*pools, (*pools)->pool[0]);
	arena_free(&(*pools)->order);
	free((*pools)->pool);
	free(*pools);
	*pools = NULL;
}

struct pool *pools_add(struct pools *pools, const char *name)
{
	struct arena *arena = arena_new(256);
	struct pool *pool = arena_alloc(arena, sizeof(*pool));

	pool->arena = arena;
	pool->name = arena_copy(arena, name, strlen(name));
	pools->pool = realloc(pools->pool, (pools->count + 1) * sizeof(struct pool *));
	if (pools->pool == NULL)
		die("out of memory");
	pools->pool[pools->count++] = pool;
	return pool;
}

static size_t place_of(const struct pools *pools, const struct pool *pool)
{
	for (size_t i = 0; i < pools->count; i++)
		if (pools->pool[i] == pool)
			return i;
	bug("pool %s is not in the table", pool->name);
}

void pools_remove(struct pools *pools, struct pool *pool)
{
	size_t place = place_of(pools, pool);
	struct arena *arena = pool->arena;

	if (pool->newest != NULL)
		bug("pool %s is removed while it has a generation", pool->name);
	pools->count--;
	memmove(pools->pool + place, pools->pool + place + 1,
	    (pools->count - place) * sizeof(struct pool *));
	arena_free(&arena);
}

struct pool *pools_find(const struct pools *pools, const char *name)
{
	for (size_t i = 0; i < pools->count; i++)
		if (!pools->pool[i]->removed && strcmp(pools->pool[i]->name, name) == 0)
			return pools->pool[i];
	return NULL;
}

/* A pool that is named and not there comes with the same reload, or has failed to. */
static void tie(struct pools *pools, struct pool *pool)
{
	static const struct words nothing;
	const struct words *after = pool->newest != NULL ? &pool->newest->plan.conf->after
							 : &nothing;

	pool->after_count = 0;
	pool->after = arena_alloc(pools->order, (after->count + 1) * sizeof(*pool->after));
	for (size_t i = 0; i < after->count; i++) {
		struct pool *other = pools_find(pools, after->word[i]);

		if (other != NULL)
			pool->after[pool->after_count++] = other;
	}
}

/* Warshall's algorithm: whoever follows MIDDLE also follows all that MIDDLE follows. */
void pools_put_in_order(struct pools *pools)
{
	size_t n = pools->count;
	bool *follows;

	arena_reset(pools->order);
	follows = arena_alloc(pools->order, n * n * sizeof(*follows));
	for (size_t i = 0; i < n; i++)
		tie(pools, pools->pool[i]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < pools->pool[i]->after_count; j++)
			follows[i * n + place_of(pools, pools->pool[i]->after[j])] = true;
	for (size_t middle = 0; middle < n; middle++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n && follows[i * n + middle]; j++)
				follows[i * n + j] = follows[i * n + j] || follows[middle * n + j];
	pools->follows = follows;
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

/* Whether it counts: a seat given up, or about to be, says nothing about the others. */
static bool stays(const struct worker *worker)
{
	return !worker->leaving && worker->replaces == NULL;
}

static size_t count_in(const struct generation *generation, enum worker_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++)
		count += stays(generation->worker[i]) && generation->worker[i]->state == state;
	return count;
}

/* A pool that may be without workers is as good as ready: its socket is watched (autoscale.h). */
static bool may_be_empty(const struct generation *generation)
{
	return generation->plan.conf->workers == 0 && generation->plan.conf->scale.min == 0;
}

bool generation_is_ready(const struct generation *generation)
{
	size_t staying = 0;

	for (size_t i = 0; i < generation->count; i++)
		staying += stays(generation->worker[i]);
	if (staying == 0)
		return may_be_empty(generation);
	return count_in(generation, WORKER_READY) + count_in(generation, WORKER_DONE) == staying;
}

bool generation_is_at_rest(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (worker_is_alive(generation->worker[i]))
			return false;
	return true;
}

bool generation_has_ended(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->state != WORKER_STOPPED &&
		    generation->worker[i]->state != WORKER_DONE)
			return false;
	return true;
}

bool generation_has_begun(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->started != 0)
			return true;
	return false;
}

bool pool_is_ready(const struct pool *pool)
{
	return generation_is_ready(pool->generation);
}

bool pool_has_begun(const struct pool *pool)
{
	return generation_has_begun(pool->generation);
}

bool pool_is_at_rest(const struct pool *pool)
{
	for (const struct generation *g = pool->newest; g != NULL; g = g->older)
		if (!generation_is_at_rest(g))
			return false;
	return true;
}

static bool has_failed(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->failures > 0)
			return true;
	return false;
}

enum pool_state pool_state(const struct pools *pools, const struct pool *pool)
{
	const struct generation *generation = pool->generation;

	if (count_in(generation, WORKER_DONE) > 0)
		return POOL_DONE;
	if (pools->stopping != STOP_NOT || pool->removed)
		return pool_is_at_rest(pool) ? POOL_STOPPED : POOL_STOPPING;
	if (pool->drained)
		return pool_is_at_rest(pool) ? POOL_DRAINED : POOL_DRAINING;
	if (pool_is_ready(pool))
		return POOL_READY;
	if (count_in(generation, WORKER_READY) > 0)
		return POOL_DEGRADED;
	if (has_failed(generation))
		return POOL_FAILING;
	return pool_has_begun(pool) ? POOL_STARTING : POOL_WAITING;
}

bool pool_comes_after(const struct pools *pools, const struct pool *pool, const struct pool *other)
{
	return pools->follows[place_of(pools, pool) * pools->count + place_of(pools, other)];
}

static pid_t process_of(const struct worker *worker)
{
	return worker->pid;
}

static pid_t probe_of(const struct worker *worker)
{
	return worker->probe.pid;
}

static struct worker *find(
    const struct pools *pools, pid_t (*number_of)(const struct worker *), pid_t pid)
{
	for (size_t i = 0; pid > 0 && i < pools->count; i++)
		for (struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older)
			for (size_t j = 0; j < g->count; j++)
				if (number_of(g->worker[j]) == pid)
					return g->worker[j];
	return NULL;
}

struct worker *pools_find_worker(const struct pools *pools, pid_t pid)
{
	return find(pools, process_of, pid);
}

struct worker *pools_find_probe(const struct pools *pools, pid_t pid)
{
	return find(pools, probe_of, pid);
}

int64_t pools_excuse(const struct pools *pools, int64_t since)
{
	return since < pools->pause.ended ? pools->pause.length : 0;
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
		for (const struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older)
			if (!generation_has_ended(g))
				return false;
	return pools->stopping != STOP_NOT;
}

bool pools_are_ready(const struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		if (!pool_is_ready(pools->pool[i]))
			return false;
	return true;
}
