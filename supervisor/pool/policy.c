/*
 * policy.c - what should be done now, and when to ask again.
 *
 * Every rule has the same form: in this state, if this time has come, that
 * order.  A time that has not come yet is remembered by has_come(), so the
 * master sleeps exactly until the first of them.
 */
#include "supervisor/pool/policy.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define US(milliseconds) ((int64_t)(milliseconds)*1000)

/* After a second signal nobody gets longer than this. */
#define QUICK_PATIENCE (2 * SECOND_US)

struct deciding {
	const struct pools *pools;
	int64_t now;
	struct orders *orders;
	bool recycled; /* one of this pool */
};

static void give(struct deciding *d, enum order_verb verb, struct worker *worker)
{
	d->orders->order[d->orders->count++] = (struct order){ verb, worker };
}

static size_t count_workers(const struct pools *pools)
{
	size_t count = 0;

	for (size_t i = 0; i < pools->count; i++)
		for (const struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older)
			count += g->count;
	return count;
}

/* One for each worker is the most there can be. */
static void make_room(struct orders *orders, size_t room)
{
	if (room <= orders->room)
		return;
	free(orders->order);
	orders->order = calloc(room, sizeof(struct order));
	if (orders->order == NULL)
		die("out of memory");
	orders->room = room;
}

void orders_free(struct orders *orders)
{
	free(orders->order);
	*orders = (struct orders){ 0 };
}

/* True when TIME has come; otherwise we shall be asked again then. */
static bool has_come(struct deciding *d, int64_t time)
{
	if (d->now >= time)
		return true;
	if (time < d->orders->wake)
		d->orders->wake = time;
	return false;
}

/* The same for who began at SINCE and has so long; what was slept through does not count. */
static bool is_up(struct deciding *d, int64_t since, int64_t patience)
{
	return has_come(d, since + patience + pools_excuse(d->pools, since));
}

static bool is_coming(const struct pool *pool)
{
	return pool->newest->phase == GENERATION_COMING;
}

/* What a start waits for: the generation of a reload under way, if the pool has one. */
static bool front_is_ready(const struct pool *pool)
{
	return generation_is_ready(is_coming(pool) ? pool->newest : pool->generation);
}

/* Of a service or a task there are never two, not even for a moment. */
static bool is_alone(const struct generation *generation)
{
	int kind = generation->plan.conf->kind;

	if (kind != KIND_SERVICE && kind != KIND_TASK)
		return true;
	for (const struct generation *g = generation->pool->newest; g != NULL; g = g->older)
		if (g != generation && !generation_is_at_rest(g))
			return false;
	return true;
}

/* Only a generation's first start waits for others: later it restarts whatever they do. */
static bool may_start(const struct pools *pools, const struct generation *generation)
{
	const struct pool *pool = generation->pool;

	if (!is_alone(generation))
		return false;
	if (generation_has_begun(generation))
		return true;
	for (size_t i = 0; i < pool->after_count; i++)
		if (!front_is_ready(pool->after[i]))
			return false;
	/* Those further before it are ready, or these were not; but some may come anew. */
	for (size_t i = 0; i < pools->count; i++)
		if (is_coming(pools->pool[i]) && !front_is_ready(pools->pool[i]) &&
		    pool_comes_after(pools, pool, pools->pool[i]))
			return false;
	return true;
}

/* In reverse: all who come after it go first, also when a task that is done stands between. */
static bool others_have_gone(const struct pools *pools, const struct pool *pool)
{
	for (size_t i = 0; i < pools->count; i++) {
		const struct pool *other = pools->pool[i];

		if (pools->stopping == STOP_NOT && !other->removed)
			continue;
		if (pool_comes_after(pools, other, pool) && !pool_is_at_rest(other))
			return false;
	}
	return true;
}

bool policy_may_retire(const struct pools *pools, const struct generation *generation)
{
	const struct pool *pool = generation->pool;

	return (pools->stopping == STOP_ORDERLY || pool->removed) && others_have_gone(pools, pool);
}

/* Who has a socket is not asked but drained: by its generation, when that begins to leave. */
static bool may_stop(const struct deciding *d, const struct generation *generation)
{
	if (d->pools->stopping != STOP_ORDERLY)
		return d->pools->stopping == STOP_QUICK;
	return generation->listener == NULL && others_have_gone(d->pools, generation->pool);
}

static bool shall_end(const struct worker *worker)
{
	return worker->leaving || worker->generation->phase == GENERATION_LEAVING;
}

/* While a queue is emptied there must be somebody who does it. */
bool policy_wants_process(const struct pools *pools, const struct worker *worker)
{
	if (shall_end(worker) || pools->stopping == STOP_QUICK)
		return false;
	return pools->stopping == STOP_NOT || worker->generation->phase == GENERATION_EMPTYING;
}

static void decide_waiting(struct deciding *d, struct worker *worker)
{
	if (!policy_wants_process(d->pools, worker))
		give(d, ORDER_REST, worker);
	else if (may_start(d->pools, worker->generation) && has_come(d, worker->retry_at))
		give(d, ORDER_START, worker);
}

/* A request can only be lost by a worker that clients may have found. */
static void decide_leaving(struct deciding *d, struct worker *worker)
{
	const struct listener *listener = worker->generation->listener;

	if (listener != NULL && listener_is_public(listener))
		give(d, ORDER_DRAIN, worker);
	else
		give(d, ORDER_STOP, worker);
}

static bool seems_ready(const struct worker *worker)
{
	bool asked_nothing = worker->generation->plan.ready.kind == READY_ONCE_STARTED;

	return worker->executed && (worker->seems_ready || asked_nothing);
}

static void decide_look(struct deciding *d, struct worker *worker)
{
	if (worker->generation->plan.ready.kind == READY_NOTIFY)
		return; /* it will say so */
	if (worker->probe.pid == 0) {
		if (has_come(d, worker->probe.next))
			give(d, ORDER_LOOK, worker);
	} else if (has_come(d, worker->probe.deadline + pools_excuse(d->pools, worker->since))) {
		give(d, ORDER_END_PROBE, worker);
	}
}

/*
 * Once all workers of a generation have been ready it is proven: a request made
 * for one that starts later might be taken by any other.
 */
static void decide_trial(struct deciding *d, struct worker *worker)
{
	const struct trial *trial = &worker->trial;
	const struct generation *generation = worker->generation;

	if (generation->plan.trial.request == NULL || generation->proven ||
	    trial->state == TRIAL_PASSED)
		give(d, ORDER_WELCOME, worker);
	else if (trial->state == TRIAL_FAILED
		     ? has_come(d, trial->next)
		     : trial->begun != 0 &&
			   is_up(d, trial->begun, US(worker_conf(worker)->canary_timeout)))
		give(d, ORDER_REJECT, worker);
	else if (trial->state == TRIAL_NONE && has_come(d, trial->next))
		give(d, ORDER_TRY, worker);
}

static void decide_starting(struct deciding *d, struct worker *worker)
{
	const struct pool_conf *conf = worker_conf(worker);

	if (may_stop(d, worker->generation)) {
		give(d, ORDER_STOP, worker);
		return;
	}
	if (shall_end(worker)) {
		decide_leaving(d, worker);
		return;
	}
	if (conf->kind == KIND_TASK || !policy_wants_process(d->pools, worker))
		return;
	/* Asked before the time: what was said in time counts, were we late to hear it. */
	if (seems_ready(worker))
		decide_trial(d, worker);
	else if (is_up(d, worker->since, US(conf->ready_timeout)))
		give(d, ORDER_GIVE_UP, worker);
	else if (worker->executed)
		decide_look(d, worker);
}

const char *policy_is_due(const struct worker *worker, int64_t now)
{
	const struct pool_conf *conf = worker_conf(worker);

	if (worker->age_limit != 0 && now - worker->started >= worker->age_limit)
		return "max_age";
	if (worker->request_limit != 0 && worker->requests >= worker->request_limit)
		return "max_requests";
	if (conf->max_memory != 0 && worker->memory > conf->max_memory)
		return "max_memory";
	return NULL;
}

static bool is_due(struct deciding *d, const struct worker *worker)
{
	/* Of the three only age comes by itself; the others are seen when they are measured. */
	if (worker->age_limit != 0 && has_come(d, worker->started + worker->age_limit))
		return true;
	return policy_is_due(worker, d->now) != NULL;
}

/* One at a time, and only while all the others are well. */
static bool may_recycle(const struct deciding *d, const struct generation *generation)
{
	if (d->pools->stopping != STOP_NOT || generation->phase != GENERATION_SERVING ||
	    generation->pool->newest != generation || !generation_is_ready(generation))
		return false;
	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->replaces != NULL ||
		    (generation->worker[i]->leaving && worker_is_alive(generation->worker[i])))
			return false;
	return true;
}

/* Whether something depends on what it does, how much it has done or how large it is. */
static bool is_watched(const struct worker *worker)
{
	const struct pool_conf *conf = worker_conf(worker);

	return conf->request_timeout != 0 || worker->request_limit != 0 || conf->max_memory != 0 ||
	       conf->slow_request != 0;
}

/* A request may have ended since the last look: only what a look has found is held against it. */
static void decide_request(struct deciding *d, struct worker *worker)
{
	if (!is_watched(worker))
		return;
	if (worker->sight.overdue &&
	    is_up(d, worker->sight.since, worker->sight.deadline - worker->sight.since))
		give(d, ORDER_ABANDON, worker);
	else if (worker->sight.slow != 0 && worker->inquest == NULL &&
		 has_come(d, worker->generation->pool->slow_at))
		give(d, ORDER_EXPLAIN, worker);
	else if (has_come(d, worker->sight.next))
		give(d, ORDER_WATCH, worker);
}

static void decide_ready(struct deciding *d, struct worker *worker)
{
	if (may_stop(d, worker->generation))
		give(d, ORDER_STOP, worker);
	else if (shall_end(worker))
		decide_leaving(d, worker);
	else if (worker->replaces != NULL)
		give(d, ORDER_RELIEVE, worker);
	else if (is_due(d, worker) && !d->recycled && may_recycle(d, worker->generation)) {
		d->recycled = true; /* the next one is decided on when this one shows */
		give(d, ORDER_RECYCLE, worker);
	} else {
		decide_request(d, worker);
	}
}

/* Its socket tells it to end; where that is not its generation's alone, we must find it idle. */
static void decide_draining(struct deciding *d, struct worker *worker)
{
	if (may_stop(d, worker->generation))
		give(d, ORDER_STOP, worker);
	else if (is_up(d, worker->since, US(worker_conf(worker)->drain_timeout)))
		give(d, ORDER_HURRY, worker);
	else if (has_come(d, worker->look_at))
		give(d, ORDER_ASK, worker);
}

int64_t policy_trace_time(const struct worker *worker)
{
	const struct pool_conf *conf = worker_conf(worker);
	long long most = conf->stop_timeout / 2;

	return US(conf->trace_timeout < most ? conf->trace_timeout : most);
}

/* Whoever looks at it and whatever comes of that, it is killed in time. */
static void decide_stopping(struct deciding *d, struct worker *worker)
{
	int64_t patience = US(worker_conf(worker)->stop_timeout);
	bool quick = d->pools->stopping == STOP_QUICK;

	if (is_up(d, worker->since, patience) ||
	    (quick && is_up(d, d->pools->stopping_since, QUICK_PATIENCE)))
		give(d, ORDER_KILL, worker);
	else if (worker->signal_at != 0 &&
		 (worker->inquest == NULL || quick || has_come(d, worker->signal_at)))
		give(d, ORDER_SIGNAL, worker);
	else if (!worker->explained && !quick &&
		 is_up(d, worker->since, patience - policy_trace_time(worker)))
		give(d, ORDER_EXPLAIN, worker);
}

static void decide(struct deciding *d, struct worker *worker)
{
	switch (worker->state) {
	case WORKER_WAITING:
		decide_waiting(d, worker);
		break;
	case WORKER_STARTING:
		decide_starting(d, worker);
		break;
	case WORKER_READY:
		decide_ready(d, worker);
		break;
	case WORKER_DRAINING:
		decide_draining(d, worker);
		break;
	case WORKER_STOPPING:
		decide_stopping(d, worker);
		break;
	case WORKER_KILLED:
	case WORKER_DONE:
	case WORKER_STOPPED:
		break;
	}
}

void policy_decide(const struct pools *pools, int64_t now, struct orders *orders)
{
	struct deciding d = { .pools = pools, .now = now, .orders = orders };

	make_room(orders, count_workers(pools));
	orders->count = 0;
	orders->wake = LOOP_FOREVER;
	for (size_t i = 0; i < pools->count; i++) {
		d.recycled = false;
		for (struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older)
			for (size_t j = 0; j < g->count; j++)
				decide(&d, g->worker[j]);
	}
}
