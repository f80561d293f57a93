/* drain.c - how a generation leaves without losing a request. */
#include "supervisor/pool/drain.h"

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/pool/generation.h"
#include "supervisor/pool/policy.h"
#include "supervisor/record/events.h"
#include "supervisor/system/inherited.h"

#define MS (SECOND_US / 1000)

/*
 * A client that had looked the name up just before it was taken away may still
 * arrive: the queue must be empty, and stay so for this long.
 */
#define LOOK_INTERVAL (20 * MS)
#define EMPTY_FOR     (100 * MS)

/* A socket that others have too, here or in systemd, stays open: each worker is asked by itself. */
static bool is_ours_alone(const struct listener *listener)
{
	return !listener_is_shared(listener) && !listener_is_inherited(listener);
}

static void leave(struct generation *generation, int64_t now)
{
	struct listener *listener = generation->listener;

	if (listener != NULL && is_ours_alone(listener) && !listener_is_shut(listener))
		listener_shut(listener);
	generation_becomes(generation, GENERATION_LEAVING, now);
	event_generation(EVENT_GENERATION_DRAIN, generation, "%s",
	    listener == NULL             ? "its workers are asked to end"
	    : listener_is_shut(listener) ? "its queue is empty and its socket shut"
					 : "its workers are asked to end when they are idle");
}

void drain_retire(struct generation *generation, int64_t now)
{
	struct listener *listener = generation->listener;

	if (generation->phase == GENERATION_EMPTYING || generation->phase == GENERATION_LEAVING)
		return;
	if (listener == NULL || !listener_is_public(listener) || !is_ours_alone(listener)) {
		leave(generation, now);
		return;
	}
	listener_withdraw(listener);
	generation_becomes(generation, GENERATION_EMPTYING, now);
}

/* TCP has no name to take away: new clients come until it is shut, so one look must do. */
static bool is_empty(struct generation *generation, int64_t now)
{
	const struct listener *listener = generation->listener;

	if (listener_has_waiting(listener)) {
		generation->empty_since = 0;
		return false;
	}
	if (generation->empty_since == 0)
		generation->empty_since = now;
	return listener_address(listener)->path == NULL ||
	       now - generation->empty_since >= EMPTY_FOR;
}

static int64_t look_at_queue(const struct pools *pools, struct generation *generation, int64_t now)
{
	int64_t deadline = generation->since + generation->plan.conf->drain_timeout * MS +
			   pools_excuse(pools, generation->since);

	if (now < generation->look_at)
		return generation->look_at;
	/* One who had found the way just before belongs to a generation that had nobody: one for
	 * him. */
	if (listener_has_waiting(generation->listener) && generation_staying(generation) == 0)
		generation_add_seat(generation, now);
	if (is_empty(generation, now)) {
		leave(generation, now);
		return now;
	}
	if (now >= deadline) {
		log_warn("%s: connections still wait after %lld ms; they are given up",
		    generation->pool->name, generation->plan.conf->drain_timeout);
		event_generation(EVENT_TROUBLE, generation, "its queue could not be emptied");
		leave(generation, now);
		return now;
	}
	generation->look_at = now + LOOK_INTERVAL;
	return generation->look_at;
}

/* While all end, the last of a pool stays in the table, so that its state can be asked for. */
static bool may_go(const struct pools *pools, const struct generation *generation)
{
	const struct pool *pool = generation->pool;

	if (generation->phase != GENERATION_LEAVING || !generation_has_ended(generation))
		return false;
	return generation != pool->generation ||
	       (pool->removed && pool->newest == generation && generation->older == NULL &&
		   pools->stopping == STOP_NOT);
}

static int64_t tend(struct pools *pools, struct generation *generation, int64_t now)
{
	if ((generation->phase == GENERATION_SERVING || generation->phase == GENERATION_COMING) &&
	    generation->listener != NULL && policy_may_retire(pools, generation))
		drain_retire(generation, now);
	/* What has no socket is asked by policy while all end; a removed pool's leaves here. */
	else if (generation->phase == GENERATION_SERVING && generation->pool->removed &&
		 policy_may_retire(pools, generation))
		drain_retire(generation, now);
	if (generation->phase == GENERATION_EMPTYING)
		return look_at_queue(pools, generation, now);
	if (may_go(pools, generation)) {
		event_generation(EVENT_GENERATION_END, generation, "generation %lld has ended",
		    generation->number);
		generation_free(&generation);
		inherited_close_unused(pools->inherited);
		return now;
	}
	return LOOP_FOREVER;
}

static int64_t tend_pool(struct pools *pools, struct pool *pool, int64_t now)
{
	int64_t wake = LOOP_FOREVER;
	struct generation *older;

	for (struct generation *g = pool->newest; g != NULL; g = older) {
		int64_t next;

		older = g->older; /* it may be freed */
		next = tend(pools, g, now);
		wake = next < wake ? next : wake;
	}
	return wake;
}

int64_t drain_tick(struct pools *pools, int64_t now)
{
	int64_t wake = LOOP_FOREVER;
	bool removed = false;

	for (size_t i = 0; i < pools->count; i++) {
		int64_t next = tend_pool(pools, pools->pool[i], now);

		wake = next < wake ? next : wake;
	}
	for (size_t i = pools->count; i-- > 0;) {
		struct pool *pool = pools->pool[i];

		if (pool->newest != NULL)
			continue;
		event_pool(EVENT_POOL_REMOVED, pool, "%s", "its last process has ended");
		pools_remove(pools, pool);
		removed = true;
	}
	if (removed)
		pools_put_in_order(pools);
	return wake;
}
