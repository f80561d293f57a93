/*
 * seat.c - one worker on its way from one ostlerd to the next.
 *
 * Its process goes on and notices nothing.  What we were just doing to find out
 * whether it is ready is done again: a connection that was being made, a request
 * that was not answered yet.
 */
#include "supervisor/upgrade/seat.h"

#include <errno.h>
#include <string.h>

#include "supervisor/output/capture.h"
#include "supervisor/system/cgroup.h"

/* Whoever gives it a member more says here, or below, whether that goes over, and counts anew. */
_Static_assert(sizeof(struct worker) == 832, "is what is new in a worker handed over?");

static const struct state_field fields[] = {
	{ STATE_FIELD(struct worker, state), .most = WORKER_STOPPED },
	{ STATE_FIELD(struct worker, since) },
	{ STATE_FIELD(struct worker, pid), .most = INT32_MAX },
	{ STATE_FIELD(struct worker, started) },
	{ STATE_FIELD(struct worker, ready_since) },
	{ STATE_FIELD(struct worker, executed) },
	{ STATE_FIELD(struct worker, seems_ready) },
	{ STATE_FIELD(struct worker, probe.next) },
	{ STATE_FIELD(struct worker, probe.pid), .most = INT32_MAX },
	{ STATE_FIELD(struct worker, probe.deadline) },
	{ STATE_FIELD(struct worker, trial.state), .most = TRIAL_FAILED },
	{ STATE_FIELD(struct worker, trial.next) },
	{ STATE_FIELD(struct worker, trial.begun) },
	{ STATE_FIELD(struct worker, failures) },
	{ STATE_FIELD(struct worker, retry_at) },
	{ STATE_FIELD(struct worker, restarts) },
	{ STATE_FIELD(struct worker, age_limit) },
	{ STATE_FIELD(struct worker, request_limit) },
	{ STATE_FIELD(struct worker, requests) },
	{ STATE_FIELD(struct worker, memory) },
	{ STATE_FIELD(struct worker, leaving) },
	{ STATE_FIELD(struct worker, look_at) },
	{ STATE_FIELD(struct worker, followed) }, /* exec(2) does not end tracing */
	{ STATE_FIELD(struct worker, explained) },
	{ STATE_FIELD(struct worker, signal_at) },
	{ STATE_FIELD(struct worker, slow_seen) },
	{ STATE_FIELD(struct worker, said) },
	{ STATE_FIELD(struct worker, cause) },
	{ STATE_FIELD(struct worker, sight.at) },
	{ STATE_FIELD(struct worker, sight.next) },
	{ STATE_FIELD(struct worker, sight.busy) },
	{ STATE_FIELD(struct worker, sight.idle) },
	{ STATE_FIELD(struct worker, sight.since) },
	{ STATE_FIELD(struct worker, sight.deadline) },
	{ STATE_FIELD(struct worker, sight.overdue) },
	{ STATE_FIELD(struct worker, sight.slow) },
	{ STATE_FIELD(struct worker, sight.method) },
	{ STATE_FIELD(struct worker, sight.route) },
	{ STATE_FIELD(struct worker, sight.foreign.connection) },
	{ STATE_FIELD(struct worker, sight.foreign.fd) },
	{ STATE_FIELD(struct worker, sight.foreign.alone) },
	{ STATE_FIELD(struct worker, sight.foreign.since) },
	{ STATE_FIELD(struct worker, sight.foreign.counted) },
	{ STATE_FIELD(struct worker, sight.foreign.received) },
	{ STATE_FIELD(struct worker, sight.foreign.sent) },
	{ STATE_FIELD(struct worker, sight.foreign.reads) },
	{ STATE_FIELD(struct worker, sight.foreign.writes) },
	{ STATE_FIELD(struct worker, sight.foreign.switches) },
	{ STATE_FIELD(struct worker, sight.reads) },
	{ STATE_FIELD(struct worker, sight.receives) },
	{ STATE_FIELD(struct worker, sight.memory) },
	{ STATE_FIELD(struct worker, sight.memory_at) },
	{ 0 },
};

static bool has_process(enum worker_state state)
{
	return state != WORKER_WAITING && state != WORKER_DONE && state != WORKER_STOPPED;
}

/* To signal process 0, 1 or -1 would be to signal others than a worker. */
static void check(struct state *state, const struct worker *worker)
{
	if ((worker->pid != 0) != has_process(worker->state) || worker->pid == 1 ||
	    worker->probe.pid == 1)
		state_fail(state, "%s is %s as process %d", worker->name,
		    worker_state_names[worker->state], (int)worker->pid);
}

/* What a trial has found out so far goes with its connection. */
static void write_fields(struct state *state, const struct worker *worker)
{
	struct worker copy = *worker;

	if (copy.trial.state != TRIAL_PASSED)
		copy.trial = (struct trial){ .state = TRIAL_NONE, .begun = copy.trial.begun };
	state_fields(state, fields, &copy);
}

static void pass_report(struct state *state, struct spawner *spawner, struct worker *worker)
{
	int fd = state_descriptor(state, "report", worker->report.fd);

	if (state_is_read(state) && !spawn_watch_report(spawner, worker, fd))
		state_fail(state, "%s cannot be heard: %s", worker->name, strerror(errno));
}

static void pass_board(struct state *state, struct worker *worker)
{
	struct ledger *ledger = worker->generation->pool->ledger;

	worker->board = board_pass(state, worker->board);
	if (!state_is_read(state) || worker->board == NULL)
		return;
	if (ledger != NULL)
		ledger_open_board(ledger, worker->board);
	else
		state_fail(state, "%s has a scoreboard, and its pool no ledger", worker->name);
}

void seat_pass(struct state *state, struct spawner *spawner, struct worker *worker)
{
	struct arena *arena = worker->generation->arena;
	const char *name = state_text(state, arena, "name", worker->name);

	if (name == NULL) {
		state_fail(state, "a worker has no name");
		return;
	}
	worker->name = name;
	if (state_is_read(state)) {
		state_fields(state, fields, worker);
		check(state, worker);
	} else {
		write_fields(state, worker);
	}
	pass_report(state, spawner, worker);
	pass_board(state, worker);
	worker->capture = capture_pass(state, spawner->captures, worker->capture);
	worker->cgroup = cgroup_pass(state, spawner->cgroups, worker->cgroup);
}

void seat_pass_replaced(struct state *state, struct worker *worker)
{
	struct generation *generation = worker->generation;
	size_t slot = worker->replaces != NULL ? worker->replaces->slot : 0;

	slot = (size_t)state_number(
	    state, "replaces", (long long)slot, 0, (long long)generation->count);
	if (state_is_read(state) && slot != 0 && slot != worker->slot)
		worker->replaces = generation->worker[slot - 1];
}
