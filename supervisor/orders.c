/* orders.c - does what policy has decided. */
#include "supervisor/orders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/tell.h"

static void start(struct spawner *spawner, struct worker *worker, int64_t now)
{
	struct verdict verdict;
	int error;

	if (spawn_worker(spawner, worker, now)) {
		tell_started(worker);
		return;
	}
	error = errno;
	verdict = policy_after_no_start(worker, now, spawn_any_number());
	worker->failures = verdict.failures;
	worker->retry_at = verdict.retry_at;
	tell_not_started(worker, error, &verdict, now);
}

static void welcome(struct worker *worker, int64_t now)
{
	worker_becomes(worker, WORKER_READY, now);
	tell_ready(worker);
}

/* A look must not block: it connects, reads /proc, or starts a command and hears of its end later.
 */
static void look(struct spawner *spawner, struct worker *worker, int64_t now)
{
	const struct readiness *ready = &worker->generation->plan.ready;
	enum look seen = LOOK_NO;

	worker->probe.next = now + worker_conf(worker)->ready_interval * 1000;
	if (ready->kind == READY_LISTEN)
		seen = readiness_somebody_listens(&ready->address, &worker->probe.fd);
	else if (ready->kind == READY_ACCEPT)
		seen = readiness_waits_in_accept(worker->pid);
	else if (!spawn_probe(spawner, worker, now))
		log_warn("%s: cannot look whether it is ready: %s", worker->name, strerror(errno));
	if (seen == LOOK_UNKNOWN)
		log_warn("%s: /proc does not show whether it accepts connections; taken as ready",
		    worker->name);
	worker->seems_ready = seen != LOOK_NO;
}

static void ask_to_end(struct worker *worker, bool too_late, int64_t now)
{
	if (too_late)
		snprintf(worker->cause, sizeof(worker->cause), "was not ready in time");
	spawn_end_probe(worker);
	worker_becomes(worker, WORKER_STOPPING, now);
	tell_stopping(worker, too_late);
	spawn_signal(worker, worker->generation->plan.stop_signal);
}

static void carry_out(struct spawner *spawner, const struct order *order, int64_t now)
{
	struct worker *worker = order->worker;

	switch (order->verb) {
	case ORDER_START:
		start(spawner, worker, now);
		break;
	case ORDER_WELCOME:
		welcome(worker, now);
		break;
	case ORDER_LOOK:
		look(spawner, worker, now);
		break;
	case ORDER_END_PROBE:
		spawn_end_probe(worker);
		worker->probe.deadline = LOOP_FOREVER; /* once is enough; SIGCHLD follows */
		break;
	case ORDER_GIVE_UP:
	case ORDER_STOP:
		ask_to_end(worker, order->verb == ORDER_GIVE_UP, now);
		break;
	case ORDER_KILL:
		tell_killing(worker);
		worker_becomes(worker, WORKER_KILLED, now);
		spawn_kill_group(worker);
		break;
	case ORDER_REST:
		worker_becomes(worker, WORKER_STOPPED, now);
		break;
	}
}

void orders_carry_out(const struct orders *orders, struct spawner *spawner, int64_t now)
{
	for (size_t i = 0; i < orders->count; i++)
		carry_out(spawner, &orders->order[i], now);
}
