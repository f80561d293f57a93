/* orders.c - does what policy has decided. */
#include "supervisor/pool/orders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/pool/explain.h"
#include "supervisor/pool/generation.h"
#include "supervisor/pool/verdict.h"
#include "supervisor/process/canary.h"
#include "supervisor/process/follow.h"
#include "supervisor/process/idle.h"
#include "supervisor/record/events.h"
#include "supervisor/record/tell.h"
#include "supervisor/system/clients.h"
#include "supervisor/system/in_force.h"

/* Time between two looks whether a worker that shall leave is idle. */
#define IDLE_INTERVAL (SECOND_US / 50)

/* When it was never seen idle for so long, and clients wait, it is followed. */
#define FOLLOW_AFTER (SECOND_US / 4)

/* So long after it was left without clients a worker need not be waited for. */
#define FORGOTTEN_AFTER SECOND_US

static void start(struct spawner *spawner, struct worker *worker, int64_t now)
{
	struct verdict verdict;
	int error;

	if (spawn_worker(spawner, worker, now)) {
		tell_started(worker);
		return;
	}
	error = errno;
	verdict = verdict_after_no_start(worker, now, spawn_any_number());
	worker->failures = verdict.failures;
	worker->retry_at = verdict.retry_at;
	tell_not_started(worker, error, &verdict, now);
}

/* A program that knows no sandbox has not failed, but its operator must not believe it is in one.
 */
static void look_at_sandbox(const struct worker *worker)
{
	const char *name = sandbox_names[worker_conf(worker)->sandbox];
	struct in_force found;

	if (worker_conf(worker)->sandbox == SANDBOX_NONE || worker->pid <= 0)
		return;
	if (in_force_read(worker->pid, &found) && found.seccomp == 0)
		log_warn("%s: is not in the sandbox %s: %s does not know it", worker->name, name,
		    worker->generation->plan.program);
}

static void welcome(struct worker *worker, int64_t now)
{
	canary_end(worker);
	worker_becomes(worker, WORKER_READY, now);
	tell_ready(worker);
	look_at_sandbox(worker);
	if (worker->generation->proven || !generation_is_ready(worker->generation))
		return;
	worker->generation->proven = true;
	tell_all_ready(worker->generation);
}

/* Where there is always a client waiting, a worker is never seen to wait for one. */
static enum look look_at_accept(const struct worker *worker)
{
	enum look seen = readiness_waits_in_accept(worker->pid);
	struct clients clients = { .count = 0 };

	if (seen == LOOK_NO &&
	    clients_find(worker->pid, listener_fd(worker->generation->listener), &clients) &&
	    clients.count > 0)
		return LOOK_YES;
	return seen;
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
		seen = look_at_accept(worker);
	else if (!spawn_probe(spawner, worker, now))
		log_warn("%s: cannot look whether it is ready: %s", worker->name, strerror(errno));
	if (seen == LOOK_UNKNOWN)
		log_warn("%s: /proc does not show whether it accepts connections; taken as ready",
		    worker->name);
	worker->seems_ready = seen != LOOK_NO;
}

static void drain(struct worker *worker, int64_t now)
{
	spawn_end_probe(worker);
	canary_end(worker);
	worker_becomes(worker, WORKER_DRAINING, now);
	worker->look_at = now;
	worker->followed = false;
	tell_draining(worker);
}

/*
 * Its socket is shut, and it has no client: nothing can ever reach it again.  It
 * should have ended by itself, but there are programs that try to accept for ever.
 */
static bool is_forgotten(const struct worker *worker, int64_t now)
{
	struct clients clients;

	return now - worker->since >= FORGOTTEN_AFTER &&
	       clients_find(worker->pid, listener_fd(worker->generation->listener), &clients) &&
	       clients.count == 0;
}

/* While clients wait, it has the next request as soon as it has done one: it is never seen idle. */
static void follow_if_needed(struct worker *worker, int64_t now)
{
	if (!worker->followed && now - worker->since >= FOLLOW_AFTER &&
	    listener_has_waiting(worker->generation->listener))
		worker->followed = follow_begin(worker->pid);
}

/* Not knowing whether it is busy, we wait until its time is up. */
static void ask_if_idle(struct worker *worker, int64_t now)
{
	int signal = worker->generation->plan.stop_signal;

	if (listener_is_shut(worker->generation->listener)) {
		worker->look_at = now + FORGOTTEN_AFTER;
		if (!is_forgotten(worker, now))
			return;
		spawn_signal(worker, signal);
	} else {
		worker->look_at = now + IDLE_INTERVAL;
		if (worker->followed || idle_ask(worker->pid, signal) != IDLE_ASKED) {
			follow_if_needed(worker, now);
			return;
		}
	}
	worker_becomes(worker, WORKER_STOPPING, now);
	tell_stopping(worker, REASON_IDLE);
}

static void recycle(struct worker *worker, int64_t now)
{
	struct worker *next = generation_add_seat(worker->generation, now);

	next->replaces = worker;
	tell_recycled(worker, policy_is_due(worker, now));
}

static void relieve(struct worker *worker)
{
	worker->replaces->leaving = true;
	worker->replaces = NULL;
}

/*
 * Why it is looked at before it is asked to end.  False: it is not asked because it
 * hangs, or the pool has been told already what is wrong with it.
 */
static bool find_reason(
    const struct worker *worker, enum stop_reason reason, enum inquest_reason *found)
{
	static const enum inquest_reason reasons[] = {
		[REASON_NOT_READY] = INQUEST_READY_TIMEOUT,
		[REASON_CANARY] = INQUEST_CANARY_TIMEOUT,
		[REASON_NOT_FINISHED] = INQUEST_DRAIN_TIMEOUT,
		[REASON_STUCK] = INQUEST_REQUEST_TIMEOUT,
	};

	if (reason == REASON_ASKED || reason == REASON_IDLE)
		return false;
	*found = reasons[reason];
	return reason != REASON_CANARY || worker->trial.state == TRIAL_UNDER_WAY;
}

/* The stop signal that was held back.  Of a stuck worker the event tells when it was sent. */
static void signal_at_last(struct worker *worker)
{
	worker->signal_at = 0;
	event_worker(EVENT_STOP, worker, "signal %d", worker->generation->plan.stop_signal);
	spawn_signal(worker, worker->generation->plan.stop_signal);
}

static void ask_to_end(
    struct spawner *spawner, struct worker *worker, enum stop_reason reason, int64_t now)
{
	enum inquest_reason hangs;
	bool waits;

	if (reason == REASON_NOT_READY)
		snprintf(worker->cause, sizeof(worker->cause), "was not ready in time");
	if (reason == REASON_CANARY)
		canary_describe(worker, worker->cause);
	spawn_end_probe(worker);
	if (worker->followed)
		follow_end(worker->pid);
	worker->followed = false;
	worker_becomes(worker, WORKER_STOPPING, now);
	waits = find_reason(worker, reason, &hangs) &&
		explain_before_signal(spawner, worker, hangs, now);
	if (!waits || reason != REASON_STUCK)
		tell_stopping(worker, reason);
	canary_end(worker);
	if (!waits)
		spawn_signal(worker, worker->generation->plan.stop_signal);
}

/* What was at hand comes first in what is told of its end. */
static void abandon(struct spawner *spawner, struct worker *worker, int64_t now)
{
	char request[SIGHT_TEXT];

	sight_describe(&worker->sight, now, request);
	snprintf(worker->cause, sizeof(worker->cause), "was stuck in %.120s", request);
	tell_stuck(worker, request);
	ask_to_end(spawner, worker, REASON_STUCK, now);
}

/* Whoever still looks at it goes first: of a death its tracer is told before its parent is. */
static void kill_at_last(struct worker *worker, int64_t now)
{
	inquest_end(worker);
	tell_killing(worker);
	worker_becomes(worker, WORKER_KILLED, now);
	spawn_kill_group(worker);
}

/* Of the orders that send a worker its stop signal. */
static const enum stop_reason reasons[] = {
	[ORDER_REJECT] = REASON_CANARY,
	[ORDER_GIVE_UP] = REASON_NOT_READY,
	[ORDER_HURRY] = REASON_NOT_FINISHED,
	[ORDER_STOP] = REASON_ASKED,
};

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
	case ORDER_TRY:
		canary_send(spawner->loop, worker, now);
		break;
	case ORDER_DRAIN:
		drain(worker, now);
		break;
	case ORDER_ASK:
		ask_if_idle(worker, now);
		break;
	case ORDER_REJECT:
	case ORDER_GIVE_UP:
	case ORDER_HURRY:
	case ORDER_STOP:
		ask_to_end(spawner, worker, reasons[order->verb], now);
		break;
	case ORDER_RECYCLE:
		recycle(worker, now);
		break;
	case ORDER_RELIEVE:
		relieve(worker);
		break;
	case ORDER_WATCH:
		sight_watch(worker, now);
		break;
	case ORDER_ABANDON:
		abandon(spawner, worker, now);
		break;
	case ORDER_EXPLAIN:
		explain(spawner, worker, now);
		break;
	case ORDER_SIGNAL:
		signal_at_last(worker);
		break;
	case ORDER_KILL:
		kill_at_last(worker, now);
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
