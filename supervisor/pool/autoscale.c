/*
 * autoscale.c - pools whose number of workers follows demand: looks, has it decided, acts.
 *
 * Whoever is to go is drained as ever (drain.h, policy.h), and whoever is to come
 * gets a seat, which is filled as any other: with its turn after other pools and
 * its patience after a crash.  So a client that connects and leaves, or a program
 * that cannot run, costs no more processes here than anywhere else.
 */
#include "supervisor/pool/autoscale.h"

#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/pool/demand.h"
#include "supervisor/pool/generation.h"
#include "supervisor/record/events.h"
#include "supervisor/upgrade/state.h"

/* Looking takes at most one part in so many of our time, however many workers there are. */
#define LOOK_SHARE 20

struct autoscale {
	struct watch door; /* the socket of a pool without workers; fd -1: it is not watched */
	bool knocked;      /* somebody has come to it */
	int64_t next;      /* look then */
	uint64_t turns;    /* demand_turns at the last look */
	struct scale_history history;
	struct autoscale_record record;
	int64_t
	    held_at[SCALE_WHYS]; /* when it was last told that for this reason nothing is done */
};

static struct autoscale *autoscale_of(struct pool *pool)
{
	if (pool->autoscale != NULL)
		return pool->autoscale;
	pool->autoscale = arena_alloc(pool->arena, sizeof(*pool->autoscale));
	pool->autoscale->door.fd = -1;
	return pool->autoscale;
}

bool autoscale_is_on(const struct pool *pool)
{
	return pool->generation != NULL && pool->generation->plan.conf->workers == 0 &&
	       pool->scaled == 0;
}

const struct autoscale_record *autoscale_record(const struct pool *pool)
{
	return pool->autoscale != NULL ? &pool->autoscale->record : NULL;
}

/* Not what ends, and not what still waits for other pools. */
static bool is_due(const struct pools *pools, const struct pool *pool)
{
	return autoscale_is_on(pool) && pools->stopping == STOP_NOT && !pool->removed &&
	       !pool->drained && pool->generation->phase == GENERATION_SERVING;
}

/* --- the door of a pool without workers ------------------------------------------------------- */

static void close_door(struct autoscale *autoscale, struct loop *loop)
{
	if (autoscale->door.fd < 0)
		return;
	loop_drop(loop, &autoscale->door);
	autoscale->door.fd = -1;
}

/* Level-triggered: until a worker accepts, the loop would hear of this one client for ever. */
static void hear_knock(struct watch *door, uint32_t events)
{
	struct pool *pool = door->owner;

	(void)events;
	pool->autoscale->knocked = true;
}

/* The socket is only watched, never accepted from nor changed: its workers need it as it is. */
static void open_door(struct pool *pool, struct loop *loop)
{
	struct autoscale *autoscale = pool->autoscale;
	const struct listener *listener = pool->generation->listener;

	if (listener == NULL || autoscale->door.fd == listener_fd(listener))
		return;
	close_door(autoscale, loop); /* that of an older generation */
	autoscale->door =
	    (struct watch){ .fd = listener_fd(listener), .act = hear_knock, .owner = pool };
	if (loop_add(loop, &autoscale->door, EPOLLIN))
		return;
	log_warn("%s: its socket cannot be watched; a worker is started", pool->name);
	autoscale->door.fd = -1;
	autoscale->knocked = true;
}

/* --- acting ----------------------------------------------------------------------------------- */

static void tell(struct pool *pool, enum event_kind kind)
{
	const struct scale_look *look = &pool->autoscale->record.look;
	const struct scale_advice *advice = &pool->autoscale->record.advice;
	struct event event = event_of_pool(kind, pool);

	event_say(&event,
	    "from %lld to %lld workers: busy=%lld queue=%lld ready=%lld wanted=%lld why=%s",
	    look->workers, advice->workers, look->busy, look->queue, look->ready, advice->wanted,
	    scale_why_names[advice->why]);
	event_record(&event);
	log_info("%s: %s", pool->name, event.text);
	pool->autoscale->record.count[advice->why]++;
}

/* What goes on is told once in a quiet time, not at each look. */
static void hold(struct pool *pool, enum scale_why why, int64_t now)
{
	int64_t quiet = pool->generation->plan.conf->scale.quiet * 1000;
	int64_t *told = &pool->autoscale->held_at[why];

	if (why == SCALE_ENOUGH || (*told != 0 && now - *told < quiet))
		return;
	*told = now;
	tell(pool, EVENT_SCALE_HELD);
}

static void act(struct pool *pool, int64_t now)
{
	struct autoscale *autoscale = pool->autoscale;
	const struct scale_advice *advice = &autoscale->record.advice;
	long long before = autoscale->record.look.workers;

	if (advice->workers == before) {
		hold(pool, advice->why, now);
		return;
	}
	if (advice->workers < before)
		scale_has_shrunk(&autoscale->history, now);
	tell(pool, advice->workers > before ? EVENT_SCALE_UP : EVENT_SCALE_DOWN);
	generation_scale(pool->generation, (size_t)advice->workers, now);
}

/* Between two looks a whole request may have come and gone; only of the last worker it matters. */
static bool was_active(struct autoscale *autoscale, const struct generation *generation)
{
	uint64_t turns;
	bool same = demand_turns(generation, &turns) && turns == autoscale->turns;

	autoscale->turns = turns;
	return !same;
}

static void look(struct pool *pool, int64_t now)
{
	struct autoscale *autoscale = pool->autoscale;
	const struct generation *generation = pool->generation;
	const struct scale_conf *conf = &generation->plan.conf->scale;
	struct scale_look *seen = &autoscale->record.look;
	int64_t began = clock_now(), spent;

	demand_look(generation, now, seen);
	if (seen->workers == 0 && autoscale->knocked && seen->queue <= 0)
		seen->queue = 1; /* he has gone, or it cannot be seen: he did come */
	seen->active = conf->min == 0 && seen->workers <= 1 && was_active(autoscale, generation);
	scale_see(&autoscale->history, conf, seen);
	autoscale->record.advice = scale_decide(&autoscale->history, conf, seen);
	act(pool, now);
	autoscale->knocked = false;
	spent = (clock_now() - began) * LOOK_SHARE;
	autoscale->next = now + (spent > conf->interval * 1000 ? spent : conf->interval * 1000);
}

static int64_t tend(struct pool *pool, struct loop *loop, int64_t now)
{
	struct autoscale *autoscale = autoscale_of(pool);
	bool empty = generation_staying(pool->generation) == 0;

	if (empty && !autoscale->knocked) {
		open_door(pool, loop);
		return LOOP_FOREVER;
	}
	close_door(autoscale, loop);
	if (!empty && !generation_has_begun(pool->generation))
		return LOOP_FOREVER; /* it waits for others; that will wake us */
	if (now >= autoscale->next || autoscale->knocked)
		look(pool, now);
	return autoscale->next;
}

int64_t autoscale_tick(struct pools *pools, struct loop *loop, int64_t now)
{
	int64_t wake = LOOP_FOREVER;

	for (size_t i = 0; i < pools->count; i++) {
		struct pool *pool = pools->pool[i];
		int64_t next;

		if (is_due(pools, pool)) {
			next = tend(pool, loop, now);
			wake = next < wake ? next : wake;
		} else if (pool->autoscale != NULL) {
			close_door(pool->autoscale, loop);
			pool->autoscale->knocked = false;
		}
	}
	return wake;
}

/* --- from one master to the next -------------------------------------------------------------- */

#define AUTO(member) STATE_FIELD(struct autoscale, member)

static const struct state_field fields[] = {
	{ AUTO(next) },
	{ AUTO(turns) },
	{ AUTO(history.since) },
	{ AUTO(history.last) },
	{ AUTO(history.piece_since) },
	{ AUTO(history.piece), .most = SCALE_PIECES - 1 },
	{ AUTO(history.demand) },
	{ AUTO(history.waited) },
	{ AUTO(history.active_at) },
	{ AUTO(history.down_at) },
	{ AUTO(record.advice.workers) },
	{ AUTO(record.advice.wanted) },
	{ AUTO(record.advice.why), .most = SCALE_WHYS - 1 },
	{ 0 },
};

/* The last look itself is made anew; the door is opened when it is next needed. */
void autoscale_pass(struct state *state, struct pool *pool)
{
	struct autoscale *autoscale;

	if (!state_flag(state, "follows demand", pool->autoscale != NULL))
		return;
	autoscale = autoscale_of(pool);
	state_fields(state, fields, autoscale);
	for (size_t i = 0; i < SCALE_PIECES; i++)
		autoscale->history.peak[i] = state_number(
		    state, "peak", autoscale->history.peak[i], LLONG_MIN, LLONG_MAX);
	for (size_t i = 0; i < SCALE_WHYS; i++) {
		autoscale->record.count[i] = (unsigned long long)state_number(
		    state, "decisions", (long long)autoscale->record.count[i], 0, LLONG_MAX);
		autoscale->held_at[i] = state_number(
		    state, "told at", autoscale->held_at[i], LLONG_MIN, LLONG_MAX);
	}
}
