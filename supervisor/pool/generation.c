/* generation.c - the life of a pool's generation: its seats, its socket, its phases. */
#include "supervisor/pool/generation.h"

#include <string.h>

#include "base/log.h"
#include "supervisor/conf/imprint.h"
#include "supervisor/pool/scale.h"
#include "supervisor/system/inherited.h"

static const char *name_of(const struct generation *generation, size_t slot)
{
	const struct pool *pool = generation->pool;

	if (generation->plan.conf->workers == 1 && slot == 1)
		return pool->name;
	return arena_print(generation->arena, "%s %zu", pool->name, slot);
}

/* Seats are never moved, for the loop and others know where they are; their list may be. */
struct worker *generation_recall_seat(struct generation *generation)
{
	struct worker *worker = arena_alloc(generation->arena, sizeof(*worker));
	size_t room = generation->room > 0 ? generation->room * 2 : 8;

	if (generation->count == generation->room) {
		generation->worker = arena_grow(generation->arena, generation->worker,
		    generation->room * sizeof(struct worker *), room * sizeof(struct worker *));
		generation->room = room;
	}
	generation->worker[generation->count++] = worker;
	*worker = (struct worker){ .generation = generation,
		.slot = generation->count,
		.name = name_of(generation, generation->count),
		.state = WORKER_WAITING,
		.report.fd = -1,
		.probe.fd = -1 };
	return worker;
}

size_t generation_wanted(const struct pool *pool, const struct pool_conf *conf)
{
	const struct generation *serving = pool->generation;
	long long present = serving != NULL ? (long long)generation_staying(serving)
					    : conf->scale.min;

	if (pool->scaled > 0)
		return (size_t)pool->scaled;
	if (conf->workers > 0)
		return (size_t)conf->workers;
	return (size_t)scale_within(&conf->scale, present);
}

/*
 * Beside one that serves at least one is started, even where none is needed: a
 * reload shall find out whether it can.
 */
static size_t seats_at_first(const struct pool *pool, const struct pool_conf *conf)
{
	size_t wanted = generation_wanted(pool, conf);

	return wanted == 0 && pool->generation != NULL ? 1 : wanted;
}

struct generation *generation_recall(struct pool *pool, struct edition *edition,
    const struct pool_conf *conf, const struct plan_critic *critic)
{
	struct arena *arena = arena_new(4096);
	struct generation *generation = arena_alloc(arena, sizeof(*generation));

	generation->arena = arena;
	generation->pool = pool;
	if (!plan_make(arena, conf, critic, &generation->plan)) {
		arena_free(&arena);
		return NULL;
	}
	generation->edition = edition_hold(edition);
	generation->phase = GENERATION_COMING;
	generation->older = pool->newest;
	pool->newest = generation;
	return generation;
}

struct generation *generation_new(struct pool *pool, struct edition *edition,
    const struct pool_conf *conf, const struct plan_critic *critic)
{
	struct generation *generation = generation_recall(pool, edition, conf, critic);

	if (generation == NULL)
		return NULL;
	generation->number = ++pool->generations;
	generation->imprint = imprint_of(&generation->plan);
	for (size_t i = seats_at_first(pool, conf); i > 0; i--)
		generation_recall_seat(generation);
	if (pool->generation == NULL)
		pool->generation = generation;
	return generation;
}

void generation_free(struct generation **which)
{
	struct generation *generation = *which;
	struct pool *pool = generation->pool;
	struct generation **link = &pool->newest;
	struct arena *arena = generation->arena;

	if (!generation_is_at_rest(generation))
		bug("a generation of %s goes before its processes", pool->name);
	while (*link != generation)
		link = &(*link)->older;
	*link = generation->older;
	if (pool->generation == generation)
		pool->generation = NULL;
	listener_close(&generation->listener);
	edition_drop(&generation->edition);
	arena_free(&arena);
	*which = NULL;
}

void generation_free_all(struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		while (pools->pool[i]->newest != NULL) {
			struct generation *newest = pools->pool[i]->newest;

			generation_free(&newest);
		}
}

void generation_becomes(struct generation *generation, enum generation_phase phase, int64_t now)
{
	generation->phase = phase;
	generation->since = now;
	generation->look_at = now;
	generation->empty_since = 0;
	log_debug("%s: generation %lld is %s", generation->pool->name, generation->number,
	    generation_phase_names[phase]);
}

void generation_rename(struct pool *pool, const char *name)
{
	pool->name = arena_copy(pool->arena, name, strlen(name));
	for (struct generation *g = pool->newest; g != NULL; g = g->older)
		for (size_t i = 0; i < g->count; i++)
			g->worker[i]->name = name_of(g, g->worker[i]->slot);
}

bool generation_follow(struct generation *generation, struct edition *edition,
    const struct pool_conf *conf, const struct plan_critic *critic)
{
	struct plan plan;

	if (!plan_make(generation->arena, conf, critic, &plan))
		return false;
	generation->plan = plan;
	edition_hold(edition);
	edition_drop(&generation->edition);
	generation->edition = edition;
	return true;
}

struct worker *generation_add_seat(struct generation *generation, int64_t now)
{
	for (size_t i = 0; i < generation->count; i++) {
		struct worker *worker = generation->worker[i];

		if (worker->state != WORKER_STOPPED)
			continue;
		worker->leaving = false;
		worker->replaces = NULL;
		worker->failures = 0;
		worker->retry_at = 0;
		worker_becomes(worker, WORKER_WAITING, now);
		return worker;
	}
	return generation_recall_seat(generation);
}

bool generation_stays(const struct worker *worker)
{
	return !worker->leaving && worker->state != WORKER_STOPPED && worker->replaces == NULL;
}

size_t generation_staying(const struct generation *generation)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++)
		count += generation_stays(generation->worker[i]);
	return count;
}

/* Who has no process costs nothing, and who was seen idle has nothing to finish. */
static int cost_of_leaving(const struct worker *worker)
{
	if (worker->pid == 0)
		return 0;
	return worker->sight.busy == 0 ? 1 : 2;
}

/* Of those who cost the same the one that has learnt least. */
static struct worker *least_missed(const struct generation *generation)
{
	struct worker *least = NULL;

	for (size_t i = 0; i < generation->count; i++) {
		struct worker *worker = generation->worker[i];
		int cost = cost_of_leaving(worker);

		if (!generation_stays(worker))
			continue;
		if (least == NULL || cost < cost_of_leaving(least) ||
		    (cost == cost_of_leaving(least) && worker->started >= least->started))
			least = worker;
	}
	return least;
}

void generation_scale(struct generation *generation, size_t workers, int64_t now)
{
	while (generation_staying(generation) < workers)
		generation_add_seat(generation, now);
	while (generation_staying(generation) > workers) {
		struct worker *worker = least_missed(generation);

		if (worker == NULL)
			bug("%s: nobody is left to leave", generation->pool->name);
		worker->leaving = true;
	}
}

static void warn_of_short_queue(const struct generation *generation)
{
	long limit = listener_backlog_limit();
	long long wanted = generation->plan.conf->backlog;

	if (limit >= 0 && wanted > limit)
		log_warn("%s: backlog is %ld, not %lld: the kernel allows no more "
			 "(sysctl net.core.somaxconn)",
		    generation->pool->name, limit, wanted);
}

/* Its workers and the old ones would take from one queue: a canary would prove nothing. */
static bool shares_for_good(const struct generation *generation)
{
	return generation->plan.trial.request != NULL &&
	       listener_is_inherited(generation->listener);
}

bool generation_listen(
    struct arena *arena, struct generation *generation, struct listener *beside, const char **wrong)
{
	const struct plan *plan = &generation->plan;
	struct listener_wish wish = { .address = &plan->address,
		.rights = &plan->rights,
		.backlog = (int)plan->conf->backlog,
		.beside = beside };

	*wrong = NULL;
	if (plan->conf->listen == NULL)
		return true;
	warn_of_short_queue(generation);
	generation->listener = listener_open(arena, &wish, wrong);
	if (generation->listener != NULL && !shares_for_good(generation))
		return true;
	if (generation->listener != NULL)
		*wrong = "canary needs a socket of the pool's own, and this one was inherited";
	*wrong = arena_print(
	    arena, "%s: pool %s: %s", plan->conf->named.where, generation->pool->name, *wrong);
	return false;
}

/* Opening all before publishing any: a pool that cannot have its socket leaves the others' alone.
 */
static bool open_all(struct arena *arena, struct pools *pools, const char **wrong)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct generation *generation = pools->pool[i]->generation;

		if (generation->listener == NULL &&
		    !generation_listen(arena, generation,
			generation_listener_at(pools, &generation->plan.address), wrong))
			return false;
	}
	return true;
}

static bool publish_all(struct arena *arena, struct pools *pools, const char **wrong)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct listener *listener = pools->pool[i]->generation->listener;

		if (listener == NULL || listener_publish(arena, listener, wrong))
			continue;
		*wrong = arena_print(arena, "%s: pool %s: %s",
		    pools->pool[i]->generation->plan.conf->named.where, pools->pool[i]->name,
		    *wrong);
		return false;
	}
	return true;
}

/* Publishing can fail half way; what was published by then is ours and is taken back. */
bool generation_listen_all(struct arena *arena, struct pools *pools, const char **wrong)
{
	if (open_all(arena, pools, wrong) && publish_all(arena, pools, wrong))
		return true;
	for (size_t i = 0; i < pools->count; i++)
		listener_close(&pools->pool[i]->generation->listener);
	return false;
}

struct listener *generation_listener_at(const struct pools *pools, const struct address *address)
{
	struct listener *found = NULL;

	for (size_t i = 0; i < pools->count; i++)
		for (struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older) {
			struct listener *l = g->listener;

			/* The place of a unix socket is ours until all of it has ended. */
			if (l == NULL || !address_same(listener_address(l), address) ||
			    (listener_is_shut(l) && address->path == NULL))
				continue;
			if (found == NULL || g->phase == GENERATION_SERVING)
				found = l;
		}
	return found != NULL ? found : inherited_find(pools->inherited, address);
}
