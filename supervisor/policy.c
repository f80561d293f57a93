/*
 * policy.c - what should be done now, and when to ask again.
 *
 * Every rule has the same form: in this state, if this time has come, that
 * order.  A time that has not come yet is remembered by has_come(), so the
 * master sleeps exactly until the first of them.
 */
#include "supervisor/policy.h"

#include "base/clock.h"

#define US(milliseconds) ((int64_t)(milliseconds)*1000)

/* After a second signal nobody gets longer than this. */
#define QUICK_PATIENCE (2 * SECOND_US)

struct deciding {
	const struct pools *pools;
	int64_t now;
	struct orders *orders;
};

void orders_make(struct arena *arena, const struct pools *pools, struct orders *orders)
{
	*orders = (struct orders){ .order = arena_alloc(
				       arena, pools->worker_count * sizeof(struct order)) };
}

static void give(struct deciding *d, enum order_verb verb, struct worker *worker)
{
	d->orders->order[d->orders->count++] = (struct order){ verb, worker };
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

/* Only a pool's first start waits for others: later it restarts whatever they do. */
static bool may_start(const struct pool *pool)
{
	if (pool_has_begun(pool))
		return true;
	for (size_t i = 0; i < pool->after_count; i++)
		if (!pool_is_ready(pool->after[i]))
			return false;
	return true;
}

/* The reverse: all who came after it go first, also when a task that is done stands between. */
static bool may_stop(const struct deciding *d, const struct pool *pool)
{
	if (d->pools->stopping != STOP_ORDERLY)
		return d->pools->stopping == STOP_QUICK;
	for (size_t i = 0; i < d->pools->count; i++)
		if (pool_comes_after(d->pools, &d->pools->pool[i], pool) &&
		    !pool_is_at_rest(&d->pools->pool[i]))
			return false;
	return true;
}

static void decide_waiting(struct deciding *d, struct worker *worker)
{
	if (d->pools->stopping != STOP_NOT)
		give(d, ORDER_REST, worker);
	else if (may_start(worker->generation->pool) && has_come(d, worker->retry_at))
		give(d, ORDER_START, worker);
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
	} else if (has_come(d, worker->probe.deadline)) {
		give(d, ORDER_END_PROBE, worker);
	}
}

static void decide_starting(struct deciding *d, struct worker *worker)
{
	const struct pool_conf *conf = worker_conf(worker);

	if (d->pools->stopping != STOP_NOT) {
		if (may_stop(d, worker->generation->pool))
			give(d, ORDER_STOP, worker);
		return;
	}
	if (conf->kind == KIND_TASK)
		return;
	/* Asked before the time: what was said in time counts, were we late to hear it. */
	if (seems_ready(worker))
		give(d, ORDER_WELCOME, worker);
	else if (has_come(d, worker->since + US(conf->ready_timeout)))
		give(d, ORDER_GIVE_UP, worker);
	else if (worker->executed)
		decide_look(d, worker);
}

static void decide_stopping(struct deciding *d, struct worker *worker)
{
	int64_t deadline = worker->since + US(worker_conf(worker)->stop_timeout);
	int64_t quick = d->pools->stopping_since + QUICK_PATIENCE;

	if (d->pools->stopping == STOP_QUICK && quick < deadline)
		deadline = quick;
	if (has_come(d, deadline))
		give(d, ORDER_KILL, worker);
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
		if (may_stop(d, worker->generation->pool))
			give(d, ORDER_STOP, worker);
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

	orders->count = 0;
	orders->wake = LOOP_FOREVER;
	for (size_t i = 0; i < pools->count; i++) {
		struct generation *generation = pools->pool[i].generation;

		for (size_t j = 0; j < generation->count; j++)
			decide(&d, &generation->worker[j]);
	}
}

int64_t policy_backoff(const struct pool_conf *conf, unsigned failures, uint32_t random)
{
	int64_t wait = conf->backoff_first;

	for (unsigned i = 1; i < failures && wait < conf->backoff_longest; i++)
		wait *= 2;
	if (wait > conf->backoff_longest)
		wait = conf->backoff_longest;
	return US(wait) + US(wait) / 10 * (random % 1024) / 1024;
}

/*
 * An exit with 0 by a worker that had been ready is how many FastCGI programs
 * renew themselves (PHP_FCGI_MAX_REQUESTS).  An exit with 0 before that is a
 * crash: it is what libfcgi programs do when accept fails.
 */
static bool is_renewal(const struct worker *worker, const struct ending *ending, bool served)
{
	int kind = worker_conf(worker)->kind;

	return !ending->signalled && ending->code == 0 && worker->ready_since != 0 &&
	       (kind == KIND_FASTCGI || (kind == KIND_WORKER && served));
}

/* Backing off protects the machine from what cannot run: each failure in a row costs double. */
static struct verdict fail(const struct worker *worker, int64_t now, uint32_t random, bool served)
{
	unsigned failures = worker->failures + 1;
	/* A first crash of one that worked is made good at once: waiting would help nobody. */
	int64_t wait = failures == 1 && served
			   ? 0
			   : policy_backoff(worker_conf(worker), failures, random);

	return (struct verdict){
		.next = WORKER_WAITING, .failures = failures, .retry_at = now + wait, .failed = true
	};
}

static struct verdict forgive(int64_t now, bool failed)
{
	return (struct verdict){ .next = WORKER_WAITING, .retry_at = now, .failed = failed };
}

struct verdict policy_after_end(const struct pools *pools, const struct worker *worker,
    const struct ending *ending, int64_t now, uint32_t random)
{
	const struct pool_conf *conf = worker_conf(worker);
	int64_t good = worker->ready_since != 0 ? now - worker->ready_since : 0;
	bool served = worker->ready_since != 0 && good >= US(conf->backoff_first);
	bool asked = worker->state == WORKER_STOPPING || worker->state == WORKER_KILLED;

	if (conf->kind == KIND_TASK && !ending->signalled && ending->code == 0)
		return (struct verdict){ .next = WORKER_DONE };
	if (pools->stopping != STOP_NOT)
		return (struct verdict){ .next = WORKER_STOPPED, .failed = !asked };
	if (worker->ready_since != 0 && good >= US(conf->good_service))
		return forgive(now, !asked && !is_renewal(worker, ending, served));
	if (is_renewal(worker, ending, served) || (asked && served))
		return forgive(now, false);
	return fail(worker, now, random, served);
}

struct verdict policy_after_no_start(const struct worker *worker, int64_t now, uint32_t random)
{
	return fail(worker, now, random, false);
}
