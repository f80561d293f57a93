/*
 * estate.c - the pools on their way from one ostlerd to the next.
 *
 * Configurations and listeners may belong to several generations: they come first,
 * in lists, and a generation names its own by their numbers.
 */
#include "supervisor/upgrade/estate.h"

#include <string.h>

#include "supervisor/pool/autoscale.h"
#include "supervisor/pool/generation.h"
#include "supervisor/system/inherited.h"
#include "supervisor/upgrade/seat.h"
#include "supervisor/upgrade/state.h"

#define EDITIONS_MOST    10000
#define LISTENERS_MOST   10000
#define POOLS_MOST       10000
#define GENERATIONS_MOST 10000
#define SEATS_MOST       10000
#define NONE             (-1)

/* Whoever gives one a member more says below whether that goes over, and counts anew. */
_Static_assert(sizeof(struct generation) - sizeof(struct plan) == 136 &&
		   sizeof(struct pool) == 96 && sizeof(struct pools) == 104,
    "is what is new in the table of pools handed over?");

struct passing {
	struct state *state;
	struct arena *arena; /* for the lists */
	struct estate *estate;
	struct edition **edition;
	size_t editions;
	struct listener **listener;
	size_t listeners;
};

/* --- what several have ------------------------------------------------------------------------ */

static long long find(void *const *list, size_t count, const void *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == wanted)
			return (long long)i;
	return NONE;
}

static long long edition_of(const struct passing *p, const struct edition *edition)
{
	return find((void *const *)p->edition, p->editions, edition);
}

static long long listener_of(const struct passing *p, const struct listener *listener)
{
	return find((void *const *)p->listener, p->listeners, listener);
}

static void note_edition(struct passing *p, struct edition *edition)
{
	if (edition_of(p, edition) == NONE)
		p->edition[p->editions++] = edition;
}

static void note_listener(struct passing *p, struct listener *listener)
{
	if (listener != NULL && listener_of(p, listener) == NONE)
		p->listener[p->listeners++] = listener;
}

static size_t count_generations(const struct pool *pool)
{
	size_t count = 0;

	for (const struct generation *g = pool->newest; g != NULL; g = g->older)
		count++;
	return count;
}

/* The configuration that ostlerd began with is the first. */
static void gather(struct passing *p)
{
	const struct pools *pools = p->estate->pools;
	size_t most = 1 + inherited_count(pools->inherited);

	for (size_t i = 0; i < pools->count; i++)
		most += count_generations(pools->pool[i]);
	p->edition = arena_alloc(p->arena, most * sizeof(struct edition *));
	p->listener = arena_alloc(p->arena, most * sizeof(struct listener *));
	note_edition(p, p->estate->started);
	for (size_t i = 0; i < inherited_count(pools->inherited); i++)
		note_listener(p, inherited_at(pools->inherited, i));
	for (size_t i = 0; i < pools->count; i++)
		for (struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older) {
			note_edition(p, g->edition);
			note_listener(p, g->listener);
		}
}

static void pass_editions(struct passing *p)
{
	bool read = state_is_read(p->state);
	size_t count = state_count(p->state, "configurations", p->editions, EDITIONS_MOST);

	if (read)
		p->edition = arena_alloc(p->arena, (count + 1) * sizeof(struct edition *));
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++) {
		if (read)
			p->edition[p->editions++] = edition_new(conf_take_over(p->state));
		else
			conf_hand_over(p->state, edition_conf(p->edition[i]));
	}
	if (p->editions == 0)
		state_fail(p->state, "there is no configuration");
	else
		p->estate->started = p->edition[0];
}

static void pass_listeners(struct passing *p)
{
	size_t count;

	state_part(p->state, "listeners");
	count = state_count(p->state, "listeners", p->listeners, LISTENERS_MOST);
	if (state_is_read(p->state))
		p->listener = arena_alloc(p->arena, (count + 1) * sizeof(struct listener *));
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++)
		listener_pass(p->state, p->listener, i);
	p->listeners = count;
}

static long long pass_listener_number(struct passing *p, const struct listener *listener)
{
	return state_number(p->state, "listener",
	    listener != NULL ? listener_of(p, listener) : NONE, NONE, (long long)p->listeners - 1);
}

static void pass_inherited(struct passing *p)
{
	struct pools *pools = p->estate->pools;
	bool read = state_is_read(p->state);
	size_t count = state_count(
	    p->state, "inherited", read ? 0 : inherited_count(pools->inherited), LISTENERS_MOST);

	if (read)
		pools->inherited = inherited_make(p->estate->arena, count);
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++) {
		long long number = pass_listener_number(
		    p, read ? NULL : inherited_at(pools->inherited, i));

		if (read && number != NONE)
			inherited_add(pools->inherited, listener_hold(p->listener[number]));
	}
}

/* --- generations ------------------------------------------------------------------------------ */

static const struct state_field generation_fields[] = {
	{ STATE_FIELD(struct generation, number) },
	{ STATE_FIELD(struct generation, imprint) },
	{ STATE_FIELD(struct generation, proven) },
	{ STATE_FIELD(struct generation, retired_by) },
	{ STATE_FIELD(struct generation, phase), .most = GENERATION_LEAVING },
	{ STATE_FIELD(struct generation, since) },
	{ STATE_FIELD(struct generation, look_at) },
	{ STATE_FIELD(struct generation, empty_since) },
	{ 0 },
};

/* Of its configuration's pools, which is its own? */
static long long place_in_edition(const struct generation *generation)
{
	const struct conf *conf = edition_conf(generation->edition);

	return generation->plan.conf - conf_pool(conf, 0);
}

static void hear_critic(void *owner, const char *name, const char *message)
{
	state_fail(owner, "%s: %s", name, message);
}

/* The generation that was written next; NULL: it cannot be had. */
static struct generation *recall(struct passing *p, struct pool *pool)
{
	struct plan_critic critic = { .hear = hear_critic, .owner = p->state };
	long long edition = state_number(
	    p->state, "configuration", 0, 0, (long long)p->editions - 1);
	const struct conf *conf;
	long long place;

	if (state_wrong(p->state) != NULL)
		return NULL;
	conf = edition_conf(p->edition[edition]);
	place = state_number(p->state, "place", 0, 0, (long long)conf->pools.count - 1);
	if (state_wrong(p->state) != NULL)
		return NULL;
	return generation_recall(
	    pool, p->edition[edition], conf_pool(conf, (size_t)place), &critic);
}

static void write_reference(struct passing *p, const struct generation *generation)
{
	state_number(p->state, "configuration", edition_of(p, generation->edition), 0,
	    (long long)p->editions - 1);
	state_number(p->state, "place", place_in_edition(generation), 0, POOLS_MOST);
}

static void pass_seats(struct passing *p, struct generation *generation)
{
	bool read = state_is_read(p->state);
	size_t count = state_count(p->state, "seats", generation->count, SEATS_MOST);

	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++)
		seat_pass(p->state, p->estate->spawner,
		    read ? generation_recall_seat(generation) : generation->worker[i]);
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++)
		seat_pass_replaced(p->state, generation->worker[i]);
}

static void pass_generation(struct passing *p, struct pool *pool, struct generation *generation)
{
	long long listener;

	state_part(p->state, "generation");
	if (generation != NULL)
		write_reference(p, generation);
	else
		generation = recall(p, pool);
	if (generation == NULL) /* something is wrong */
		return;
	listener = pass_listener_number(p, generation->listener);
	state_fields(p->state, generation_fields, generation);
	generation->failure = state_text(
	    p->state, generation->arena, "failure", generation->failure);
	if (state_is_read(p->state) && listener != NONE)
		generation->listener = listener_hold(p->listener[listener]);
	if (state_is_read(p->state) &&
	    (generation->listener != NULL) != (generation->plan.conf->listen != NULL) &&
	    generation->phase != GENERATION_COMING)
		state_fail(p->state, "%s: its socket is missing", pool->name);
	pass_seats(p, generation);
}

/* --- pools ------------------------------------------------------------------------------------ */

static const struct state_field pool_fields[] = {
	{ STATE_FIELD(struct pool, generations) },
	{ STATE_FIELD(struct pool, scaled) },
	{ STATE_FIELD(struct pool, drained) },
	{ STATE_FIELD(struct pool, removed) },
	{ STATE_FIELD(struct pool, outdated) },
	{ STATE_FIELD(struct pool, slow_at) },
	{ 0 },
};

/* The INDEXth of the pool's, from 0 for the oldest. */
static struct generation *generation_at(const struct pool *pool, size_t count, size_t index)
{
	struct generation *generation = pool->newest;

	for (size_t i = count - 1; i > index; i--)
		generation = generation->older;
	return generation;
}

static size_t index_of(const struct pool *pool, size_t count, const struct generation *wanted)
{
	size_t index = 0;

	while (index + 1 < count && generation_at(pool, count, index) != wanted)
		index++;
	return index;
}

/* Oldest first, for each comes before those that were there. */
static void pass_generations(struct passing *p, struct pool *pool)
{
	bool read = state_is_read(p->state);
	size_t count = state_count(
	    p->state, "generations", count_generations(pool), GENERATIONS_MOST);
	size_t serving = read ? 0 : index_of(pool, count, pool->generation);

	serving = (size_t)state_number(
	    p->state, "serving", (long long)serving, 0, (long long)count - 1);
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++)
		pass_generation(p, pool, read ? NULL : generation_at(pool, count, i));
	if (count == 0)
		state_fail(p->state, "pool %s has no generation", pool->name);
	if (read && state_wrong(p->state) == NULL)
		pool->generation = generation_at(pool, count, serving);
}

static void pass_pool(struct passing *p, struct pool *pool)
{
	struct ledgers *ledgers = p->estate->spawner->ledgers;
	const char *name = state_text(p->state, p->arena, "name", pool != NULL ? pool->name : NULL);
	const char *ledger;

	if (name == NULL) {
		state_fail(p->state, "a pool has no name");
		return;
	}
	if (pool == NULL)
		pool = pools_add(p->estate->pools, name);
	ledger = state_text(p->state, p->arena, "ledger", ledger_name(pool->ledger));
	if (state_is_read(p->state) && ledger != NULL)
		pool->ledger = ledgers_find(ledgers, ledger);
	state_fields(p->state, pool_fields, pool);
	autoscale_pass(p->state, pool);
	pass_generations(p, pool);
}

static const struct state_field pools_fields[] = {
	{ STATE_FIELD(struct pools, look_from) },
	{ STATE_FIELD(struct pools, pause.ended) },
	{ STATE_FIELD(struct pools, pause.length) },
	{ 0 },
};

static void pass_pools(struct passing *p)
{
	struct pools *pools = p->estate->pools;
	bool read = state_is_read(p->state);
	size_t count;

	state_part(p->state, "pools");
	state_fields(p->state, pools_fields, pools);
	count = state_count(p->state, "pools", pools->count, POOLS_MOST);
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++)
		pass_pool(p, read ? NULL : pools->pool[i]);
}

/* What was only held for the time of the passing. */
static void let_go(struct passing *p)
{
	for (size_t i = 1; i < p->editions; i++)
		edition_drop(&p->edition[i]);
	for (size_t i = 0; i < p->listeners; i++)
		if (!listener_is_held(p->listener[i]))
			state_fail(p->state, "%s: nobody has its socket",
			    listener_address(p->listener[i])->text);
	pools_put_in_order(p->estate->pools);
}

void estate_pass(struct state *state, struct estate *estate)
{
	struct passing p = { .state = state, .arena = arena_new(16384), .estate = estate };

	if (!state_is_read(state))
		gather(&p);
	pass_editions(&p);
	pass_listeners(&p);
	pass_inherited(&p);
	pass_pools(&p);
	if (state_is_read(state) && state_wrong(state) == NULL)
		let_go(&p);
	arena_free(&p.arena);
}
