/*
 * verdict.c - what becomes of a worker whose process has ended.
 *
 * As in policy.c nothing is done here: the time and chance come as arguments.
 */
#include "supervisor/pool/verdict.h"

#include "supervisor/pool/policy.h"

#define US(milliseconds) ((int64_t)(milliseconds)*1000)

int64_t verdict_backoff(const struct pool_conf *conf, unsigned failures, uint32_t random)
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
			   : verdict_backoff(worker_conf(worker), failures, random);

	return (struct verdict){
		.next = WORKER_WAITING, .failures = failures, .retry_at = now + wait, .failed = true
	};
}

static struct verdict forgive(int64_t now, bool failed)
{
	return (struct verdict){ .next = WORKER_WAITING, .retry_at = now, .failed = failed };
}

/* Its replacement is on the way: nobody need take its seat again. */
static bool is_being_replaced(const struct worker *worker)
{
	const struct generation *generation = worker->generation;

	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->replaces == worker)
			return true;
	return false;
}

struct verdict verdict_after_end(const struct pools *pools, const struct worker *worker,
    const struct ending *ending, int64_t now, uint32_t random)
{
	const struct pool_conf *conf = worker_conf(worker);
	int64_t good = worker->ready_since != 0 ? now - worker->ready_since : 0;
	bool served = worker->ready_since != 0 && good >= US(conf->backoff_first);
	bool asked = worker->state == WORKER_STOPPING || worker->state == WORKER_KILLED ||
		     (worker->state == WORKER_DRAINING && !ending->signalled);

	if (conf->kind == KIND_TASK && !ending->signalled && ending->code == 0)
		return (struct verdict){ .next = WORKER_DONE };
	if (!policy_wants_process(pools, worker) || is_being_replaced(worker))
		return (struct verdict){ .next = WORKER_STOPPED, .failed = !asked };
	if (worker->ready_since != 0 && good >= US(conf->good_service))
		return forgive(now, !asked && !is_renewal(worker, ending, served));
	if (is_renewal(worker, ending, served) || (asked && served))
		return forgive(now, false);
	return fail(worker, now, random, served);
}

struct verdict verdict_after_no_start(const struct worker *worker, int64_t now, uint32_t random)
{
	return fail(worker, now, random, false);
}
