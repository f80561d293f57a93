/* explain.c - has somebody look where a worker hangs: before it is ended, or its request is slow.
 */
#include "supervisor/pool/explain.h"

#include "base/log.h"
#include "supervisor/pool/policy.h"

static bool begin(struct spawner *spawner, struct worker *worker, const struct inquest_wish *wish)
{
	const char *wrong;

	if (inquest_begin(spawner->inquests, worker, wish, &wrong) != 0)
		return true;
	log_warn("%s: cannot look where pid %d is: %s", worker->name, (int)worker->pid, wrong);
	return false;
}

/* Who is at no request, or keeps it to himself, has none that could be told. */
static void describe_request(struct worker *worker, int64_t now, char text[static SIGHT_TEXT])
{
	text[0] = '\0';
	sight_look(worker, now);
	if (worker->sight.since != 0)
		sight_describe(&worker->sight, now, text);
}

static bool explain_doomed(
    struct spawner *spawner, struct worker *worker, enum inquest_reason reason, int64_t now)
{
	char request[SIGHT_TEXT];
	struct inquest_wish wish = {
		.reason = reason, .request = request, .until = now + policy_trace_time(worker)
	};

	describe_request(worker, now, request);
	worker->explained = true; /* or could not be: it is tried once */
	return begin(spawner, worker, &wish);
}

bool explain_before_signal(
    struct spawner *spawner, struct worker *worker, enum inquest_reason reason, int64_t now)
{
	worker->signal_at = 0;
	if (explain_doomed(spawner, worker, reason, now))
		worker->signal_at = now + policy_trace_time(worker);
	return worker->signal_at != 0;
}

/* Looked at again first: since it was last seen the request may have ended. */
static void explain_slow(struct spawner *spawner, struct worker *worker, int64_t now)
{
	const struct pool_conf *conf = worker_conf(worker);
	char request[SIGHT_TEXT];
	struct inquest_wish wish = { .reason = INQUEST_SLOW_REQUEST,
		.request = request,
		.until = now + conf->trace_timeout * 1000 };

	sight_look(worker, now);
	if (worker->sight.slow == 0)
		return;
	sight_describe_slow(worker, now, request);
	worker->generation->pool->slow_at = now + conf->slow_interval * 1000;
	/* All that began by then are slow, and are seen along with it. */
	if (begin(spawner, worker, &wish))
		worker->slow_seen = now - conf->slow_request * 1000;
	sight_look(worker, now);
}

void explain(struct spawner *spawner, struct worker *worker, int64_t now)
{
	if (worker->state != WORKER_STOPPING)
		explain_slow(spawner, worker, now);
	else if (!explain_doomed(spawner, worker, INQUEST_STOP_TIMEOUT, now))
		log_debug("%s: will be killed unseen", worker->name);
}
