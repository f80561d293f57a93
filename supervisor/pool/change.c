/* change.c - what a new configuration means for each pool. */
#include "supervisor/pool/change.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/conf/imprint.h"
#include "supervisor/pool/drain.h"
#include "supervisor/pool/generation.h"
#include "supervisor/pool/reload.h"
#include "supervisor/process/spawn.h"
#include "supervisor/record/events.h"

struct working {
	struct arena *arena;
	struct pools *pools;
	struct edition *edition;
	const struct wish_list *wishes;
	struct change *change;
	size_t count;
	const char *wrong; /* the first thing that is */
};

int change_wanted(const struct wish_list *list, const char *pool)
{
	int strongest = -1;

	for (size_t i = 0; i < list->count; i++) {
		const struct wish *wish = &list->wish[i];
		bool meant = wish->pool[0] == '\0' ||
			     (pool != NULL && strcmp(wish->pool, pool) == 0);

		if (meant && wish->kind > strongest)
			strongest = wish->kind;
	}
	return strongest;
}

static void hear_critic(void *owner, const char *name, const char *message)
{
	struct working *w = owner;

	if (w->wrong == NULL)
		w->wrong = arena_print(w->arena, "%s: %s", name, message);
}

static struct change *add(struct working *w, struct pool *pool, const struct pool_conf *conf)
{
	struct change *change = &w->change[w->count++];

	*change = (struct change){ .pool = pool, .conf = conf };
	return change;
}

static struct generation *make_next(struct working *w, struct change *change)
{
	struct plan_critic critic = { .hear = hear_critic, .owner = w };
	struct generation *next = generation_new(change->pool, w->edition, change->conf, &critic);

	if (next != NULL)
		event_generation(EVENT_GENERATION_START, next, "%s", next->plan.program);
	return next;
}

/* Its processes need not be replaced by others because of what is new. */
static bool can_stay(const struct pool *pool, const struct pool_conf *conf)
{
	const struct generation *g = pool->generation;

	return !conf_pool_needs_processes(g->plan.conf, conf) && imprint_of(&g->plan) == g->imprint;
}

/* There is nothing to go back to: whatever becomes of the new process, the old one has ended. */
static void restart_service(struct working *w, struct change *change)
{
	struct generation *old = change->pool->generation;
	struct generation *next = make_next(w, change);
	int64_t now = clock_now();

	if (next == NULL)
		return;
	change->awaited = next;
	change->pool->generation = next;
	change->pool->drained = false;
	change->pool->outdated = false;
	generation_becomes(next, GENERATION_SERVING, now);
	old->retired_by = 1;
	drain_retire(old, now);
}

static void compare_service(struct working *w, struct change *change, int wanted)
{
	struct pool *pool = change->pool;

	if (wanted == RELOAD_RESTART) {
		restart_service(w, change);
		return;
	}
	change->follows = !conf_pool_needs_processes(pool->generation->plan.conf, change->conf);
	pool->outdated = pool->outdated || !can_stay(pool, change->conf);
	if (!change->follows)
		log_warn("%s: has other settings now, but a service is not run twice: "
			 "ostlerctl restart %s applies them",
		    pool->name, pool->name);
}

/* What is wished for all pools at once does not mean that what was done must be done again. */
static bool is_named(const struct wish_list *list, const char *pool)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->wish[i].pool, pool) == 0)
			return true;
	return false;
}

static void compare(struct working *w, struct change *change, int wanted)
{
	struct pool *pool = change->pool;

	if (pool->drained && wanted == RELOAD_CHANGED)
		return;
	if (change->conf->kind == KIND_TASK && !is_named(w->wishes, pool->name))
		wanted = RELOAD_CHANGED;
	if (change->conf->kind == KIND_SERVICE && pool->generation->plan.conf->kind == KIND_SERVICE)
		compare_service(w, change, wanted);
	else if (wanted != RELOAD_CHANGED || !can_stay(pool, change->conf))
		change->coming = make_next(w, change);
	else
		change->follows = conf_pool_differs(pool->generation->plan.conf, change->conf);
}

static bool is_configured(const struct working *w, const char *name)
{
	return conf_find(edition_conf(w->edition), name) >= 0;
}

/* A pool that went and a pool that came, and are the same in all but the name. */
static struct pool *find_renamed(const struct working *w, const struct pool_conf *conf)
{
	for (size_t i = 0; i < w->pools->count; i++) {
		struct pool *pool = w->pools->pool[i];

		if (!pool->removed && !is_configured(w, pool->name) && can_stay(pool, conf))
			return pool;
	}
	return NULL;
}

/* A pool of this name is there no more, or was never. */
static void welcome(struct working *w, const struct pool_conf *conf)
{
	const char *name = conf->named.name;
	struct pool *pool = find_renamed(w, conf);
	struct change *change;

	if (pool != NULL) {
		change = add(w, pool, conf);
		change->follows = true;
		change->renamed = true;
		return;
	}
	change = add(w, pools_add(w->pools, name), conf);
	event_pool(EVENT_POOL_ADDED, change->pool, "%s", "the configuration names it");
	change->coming = make_next(w, change);
	if (change->coming == NULL)
		change->pool->removed = true;
}

static bool is_meant(const struct working *w, const struct pool *pool)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->change[i].pool == pool)
			return true;
	return false;
}

static void check_names(struct working *w)
{
	for (size_t i = 0; i < w->wishes->count; i++) {
		const char *name = w->wishes->wish[i].pool;

		if (name[0] != '\0' && !is_configured(w, name))
			w->wrong = arena_print(
			    w->arena, "the configuration names no pool \"%s\"", name);
	}
}

struct change *change_work_out(struct arena *arena, struct pools *pools, struct edition *edition,
    const struct wish_list *wishes, const char **wrong)
{
	const struct conf *conf = edition_conf(edition);
	struct working w = { .arena = arena, .pools = pools, .edition = edition, .wishes = wishes };

	w.change = arena_alloc(arena, (conf->pools.count + pools->count + 1) * sizeof(*w.change));
	check_names(&w);
	for (size_t i = 0; i < conf->pools.count && w.wrong == NULL; i++) {
		const struct pool_conf *next = conf_pool(conf, i);
		struct pool *pool = pools_find(pools, next->named.name);
		int wanted = change_wanted(wishes, next->named.name);

		if (wanted < 0)
			continue;
		if (pool == NULL)
			welcome(&w, next);
		else
			compare(&w, add(&w, pool, next), wanted);
	}
	for (size_t i = 0; i < pools->count && w.wrong == NULL; i++) {
		struct pool *pool = pools->pool[i];

		if (change_wanted(wishes, NULL) >= 0 && !pool->removed && !is_meant(&w, pool) &&
		    !is_configured(&w, pool->name))
			add(&w, pool, NULL);
	}
	*wrong = w.wrong;
	return w.change;
}

static void hear_nothing(void *owner, const char *name, const char *message)
{
	(void)owner;
	log_warn("%s: %s", name, message);
}

static void follow(const struct change *change, struct edition *edition, int64_t now)
{
	struct plan_critic critic = { .hear = hear_nothing };
	struct generation *generation = change->pool->generation;
	bool others = conf_workers_differ(generation->plan.conf, change->conf);

	if (!generation_follow(generation, edition, change->conf, &critic) || !others)
		return;
	change->pool->scaled = 0;
	generation_scale(generation, generation_wanted(change->pool, change->conf), now);
}

/* A service is told whenever it is meant: what it reads may have changed without our knowing. */
static void tell_service(const struct pool *pool)
{
	const struct generation *generation = pool->generation;

	if (generation->plan.conf->kind != KIND_SERVICE || generation->plan.reload_signal == 0)
		return;
	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->state == WORKER_READY)
			spawn_signal(generation->worker[i], generation->plan.reload_signal);
}

void change_apply(
    const struct change *change, struct edition *edition, unsigned long long number, int64_t now)
{
	struct pool *pool = change->pool;

	if (change->conf == NULL) {
		pool->removed = true;
		for (struct generation *g = pool->newest; g != NULL; g = g->older)
			g->retired_by = g->retired_by != 0 ? g->retired_by : number;
		return;
	}
	if (change->renamed) {
		event_pool(EVENT_POOL_ADDED, pool, "is called %s now", change->conf->named.name);
		generation_rename(pool, change->conf->named.name);
	}
	if (change->follows)
		follow(change, edition, now);
	if (change->awaited != NULL || change->coming != NULL)
		return;
	tell_service(pool);
	event_pool(EVENT_RELOAD_UNCHANGED, pool, "%s",
	    change->follows ? "keeps its processes, under new settings" : "stays as it is");
}
