/* burial.c - the death of processes: reaped, explained, and what follows from it. */
#include "supervisor/process/burial.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/output/capture.h"
#include "supervisor/pool/verdict.h"
#include "supervisor/process/canary.h"
#include "supervisor/process/follow.h"
#include "supervisor/process/guardian.h"
#include "supervisor/process/idle.h"
#include "supervisor/process/inquest.h"
#include "supervisor/record/ledger.h"
#include "supervisor/record/tell.h"
#include "supervisor/system/cgroup.h"
#include "supervisor/upgrade/upgrade.h"

static void probe_ended(struct worker *worker, const struct ending *ending, int64_t now)
{
	worker->probe.pid = 0;
	worker->probe.next = now + worker_conf(worker)->ready_interval * 1000;
	worker->seems_ready = !ending->signalled && ending->code == 0;
}

/* The seat may be taken by another, who is not the one to be relieved. */
static void forget_who_replaces(const struct worker *gone)
{
	const struct generation *generation = gone->generation;

	for (size_t i = 0; i < generation->count; i++)
		if (generation->worker[i]->replaces == gone)
			generation->worker[i]->replaces = NULL;
}

static void worker_ended(struct pools *pools, struct spawner *spawner, struct worker *worker,
    const struct ending *ending)
{
	int64_t now = clock_now();
	struct verdict verdict;

	inquest_end(worker);
	spawn_hear_report(spawner, worker); /* why exec failed, if it did */
	capture_drain(worker->capture);     /* its last words come before its end */
	spawn_end_probe(worker);
	canary_hear_out(worker); /* some of them are an answer */
	verdict = verdict_after_end(pools, worker, ending, now, spawn_any_number());
	tell_ended(pools, worker, ending, &verdict, now);
	canary_end(worker);
	capture_leave(&worker->capture);
	worker->pid = 0;
	cgroup_leave(&worker->cgroup);
	spawn_close_board(worker);
	if (verdict.failed)
		ledger_count_failure(worker->generation->pool->ledger);
	worker->failures = verdict.failures;
	worker->retry_at = verdict.retry_at;
	worker_becomes(worker, verdict.next, now);
	if (verdict.next == WORKER_STOPPED)
		forget_who_replaces(worker);
}

/*
 * A dead child keeps its number until it is waited for; only so long may its
 * process group, which has the same number, be signalled.  What is left of the
 * group, or of its cgroup, would hold the listening socket and the output file of
 * the dead.
 */
static void bury(struct pools *pools, struct spawner *spawner, const siginfo_t *dead)
{
	struct ending ending = { .signalled = dead->si_code != CLD_EXITED,
		.code = dead->si_status };
	struct worker *worker = pools_find_worker(pools, dead->si_pid);
	struct worker *probed = pools_find_probe(pools, dead->si_pid);
	bool examined = upgrade_hear_end(pools->upgrade, dead->si_pid, &ending);
	siginfo_t gone;

	if (worker != NULL) {
		spawn_kill_group(worker);
		guardian_forget(spawner->guardian, worker->pid);
	}
	if (waitid(P_PID, (id_t)dead->si_pid, &gone, WEXITED | WNOHANG) < 0)
		log_warn("waitid: %s", strerror(errno));
	if (worker != NULL)
		worker_ended(pools, spawner, worker, &ending);
	else if (probed != NULL)
		probe_ended(probed, &ending, clock_now());
	else if (!examined && !inquests_has_died(spawner->inquests, dead->si_pid))
		guardian_has_died(spawner->guardian, dead->si_pid); /* or a stranger has */
}

/* A worker that is alive and stopped by us goes on; one that is followed may be where it can end.
 */
static void has_stopped(struct pools *pools, pid_t pid)
{
	struct worker *worker = pools_find_worker(pools, pid);

	if (worker == NULL || worker->state != WORKER_DRAINING || !worker->followed)
		idle_let_go(pid);
	else if (follow_step(pid, worker->generation->plan.stop_signal)) {
		worker_becomes(worker, WORKER_STOPPING, clock_now());
		tell_stopping(worker, REASON_IDLE);
	}
}

void bury_the_dead(struct pools *pools, struct spawner *spawner)
{
	for (;;) {
		siginfo_t dead = { .si_pid = 0 };

		/* WNOWAIT: look first, reap later, in bury(). */
		if (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) < 0 || dead.si_pid == 0)
			return;
		if (dead.si_code == CLD_TRAPPED || dead.si_code == CLD_STOPPED)
			has_stopped(pools, dead.si_pid);
		else
			bury(pools, spawner, &dead);
		cgroups_tidy(spawner->cgroups); /* it may have been the last in one */
	}
}
