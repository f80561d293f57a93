/* spawn.c - the birth of workers and of the probes that look at them. */
#include "supervisor/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/output/capture.h"
#include "supervisor/process/child.h"
#include "supervisor/process/guardian.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/cgroup.h"
#include "supervisor/system/environment.h"
#include "supervisor/system/program.h"

/* A command that looks whether a worker is ready, and hangs, tells nothing. */
#define PROBE_PATIENCE (5 * SECOND_US)

static struct child_plan plan_of(
    struct spawner *spawner, const struct worker *worker, int scoreboard)
{
	const struct generation *generation = worker->generation;
	const struct plan *plan = &generation->plan;
	const char *more[] = {
		arena_print(spawner->scratch, "OSTLER_SLOT=%zu", worker->slot),
		arena_print(spawner->scratch, "OSTLER_GENERATION=%lld", generation->number),
		arena_print(spawner->scratch, "NOTIFY_SOCKET=%s", spawner->notify_name),
		arena_print(spawner->scratch, SCOREBOARD_VARIABLE "=%d", scoreboard),
	};
	size_t count = scoreboard >= 0 ? COUNT(more) : COUNT(more) - 1;

	return (struct child_plan){
		.program = plan->program,
		.arguments = plan->conf->command.word,
		.environment = environment_extend(spawner->scratch, plan->environment, more, count),
		.input = generation->listener != NULL ? listener_fd(generation->listener) : -1,
		.scoreboard = scoreboard,
		.output = -1,
		.umask = plan->umask,
		.confinement = &plan->confinement,
		.ruleset = -1,
		.who = &plan->who,
		.directory = plan->conf->directory,
		.death_signal = plan->stop_signal,
		.master = spawner->master,
	};
}

/*
 * Returns its descriptor, or -1: a worker that can be had without
 * being counted is better than none.
 */
static int open_board(struct spawner *spawner, struct worker *worker)
{
	const struct pool_conf *conf = worker_conf(worker);
	struct pool *pool = worker->generation->pool;

	if (pool->ledger == NULL)
		pool->ledger = ledgers_find(spawner->ledgers, pool->name);
	if (conf->kind != KIND_FASTCGI && conf->kind != KIND_WORKER)
		return -1;
	worker->board = board_open(conf->request_timeout * 1000);
	if (worker->board == NULL)
		log_warn("%s: no scoreboard: %s", worker->name, strerror(errno));
	ledger_open_board(pool->ledger, worker->board);
	return worker->board != NULL ? worker->board->fd : -1;
}

void spawn_close_board(struct worker *worker)
{
	ledger_close_board(worker->generation->pool->ledger, &worker->board);
	sight_forget(&worker->sight, 0);
}

static void end_report(struct spawner *spawner, struct worker *worker)
{
	loop_drop(spawner->loop, &worker->report);
	close(worker->report.fd);
	worker->report.fd = -1;
}

void spawn_hear_report(struct spawner *spawner, struct worker *worker)
{
	struct child_failure failure;
	ssize_t got;

	if (worker->report.fd < 0)
		return;
	got = read(worker->report.fd, &failure, sizeof(failure));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == (ssize_t)sizeof(failure))
		snprintf(worker->cause, sizeof(worker->cause), "cannot %s (%s): %s",
		    child_step_name(failure.step), worker->generation->plan.program,
		    strerror(failure.error));
	else
		worker->executed = true;
	end_report(spawner, worker);
}

static void report_arrives(struct watch *watch, uint32_t events)
{
	struct worker *worker = (struct worker *)((char *)watch - offsetof(struct worker, report));

	(void)events;
	spawn_hear_report(watch->owner, worker);
}

bool spawn_watch_report(struct spawner *spawner, struct worker *worker, int fd)
{
	worker->report = (struct watch){ .fd = fd, .act = report_arrives, .owner = spawner };
	return fd < 0 || loop_add(spawner->loop, &worker->report, EPOLLIN);
}

/* By chance, so that workers that were started together are not replaced together. */
static void set_limits(struct worker *worker)
{
	const struct pool_conf *conf = worker_conf(worker);
	int64_t age = conf->max_age * 1000;

	worker->age_limit = age + age / 10 * (spawn_any_number() % 1024) / 1024;
	worker->request_limit = conf->max_requests;
	if (conf->max_requests > 0)
		worker->request_limit += spawn_any_number() % (conf->max_requests_jitter + 1);
}

/* Neighbours are not all looked at in the same moment. */
static int64_t first_look(const struct worker *worker)
{
	return worker_conf(worker)->watch_interval * 1000 * (int64_t)(worker->slot % 16) / 16;
}

static void record_start(struct worker *worker, pid_t pid, int64_t now)
{
	worker->restarts += worker->started != 0;
	worker->pid = pid;
	worker->started = now;
	worker->ready_since = 0;
	worker->executed = false;
	worker->seems_ready = false;
	worker->cause[0] = '\0';
	worker->said[0] = '\0';
	worker->requests = 0;
	worker->memory = 0;
	set_limits(worker);
	worker->explained = false;
	worker->signal_at = 0;
	worker->slow_seen = 0;
	sight_forget(&worker->sight, now + first_look(worker));
	worker->probe = (struct probe){ .next = now, .fd = -1 };
	worker->trial = (struct trial){ .state = TRIAL_NONE };
	worker_becomes(worker, WORKER_STARTING, now);
}

/* The read end goes to the loop, which shall not block on it; the write end to the child. */
static bool open_report(struct spawner *spawner, struct worker *worker, int *write_end)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	*write_end = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 &&
	    spawn_watch_report(spawner, worker, ends[0]))
		return true;
	close(ends[0]);
	close(ends[1]);
	worker->report.fd = -1;
	return false;
}

/* What the child inherits; our own ends are with the worker. */
struct ends {
	int report, output, scoreboard;
	int ruleset; /* which files it may see; -1: all */
};

/* Paths at fault were complained of when the configuration was read; one may have changed since. */
static bool open_ruleset(const struct worker *worker, int *ruleset)
{
	const struct confinement *confinement = &worker->generation->plan.confinement;
	const char *at;
	int error;

	if (confinement_open_files(confinement, ruleset, &at)) {
		if (*ruleset < 0 && confinement->files_limited && worker->started == 0)
			log_warn("%s: this kernel has no Landlock: its files are not limited",
			    worker->name);
		return true;
	}
	error = errno;
	log_warn("%s: cannot limit its files%s%s: %s", worker->name, at != NULL ? " to " : "",
	    at != NULL ? at : "", strerror(error));
	errno = error;
	return false;
}

static void close_ruleset(int ruleset)
{
	int error = errno;

	if (ruleset >= 0)
		close(ruleset);
	errno = error;
}

static bool open_ends(struct spawner *spawner, struct worker *worker, struct ends *ends)
{
	int error;

	if (!open_ruleset(worker, &ends->ruleset))
		return false;
	if (!open_report(spawner, worker, &ends->report)) {
		close_ruleset(ends->ruleset);
		return false;
	}
	worker->capture = capture_open(spawner->captures, worker, &ends->output);
	if (worker->capture != NULL) {
		ends->scoreboard = open_board(spawner, worker);
		return true;
	}
	error = errno;
	end_report(spawner, worker);
	close(ends->report);
	close_ruleset(ends->ruleset);
	errno = error;
	return false;
}

static void close_childs_ends(const struct ends *ends)
{
	close(ends->report);
	close(ends->output);
	close_ruleset(ends->ruleset);
}

/* A worker whose children may get away is better than none. */
static struct cgroup *make_cgroup(struct spawner *spawner, const struct worker *worker)
{
	const char *name = arena_print(
	    spawner->scratch, "%s.%zu", worker->generation->pool->name, worker->slot);
	struct cgroup *cgroup = cgroup_make(spawner->cgroups, name);

	if (cgroup == NULL && spawner->cgroups != NULL)
		log_warn("%s: no cgroup: %s", worker->name, strerror(errno));
	return cgroup;
}

bool spawn_worker(struct spawner *spawner, struct worker *worker, int64_t now)
{
	struct child_plan plan;
	struct ends ends;
	int error;
	pid_t pid;

	arena_reset(spawner->scratch);
	if (!open_ends(spawner, worker, &ends))
		return false;
	plan = plan_of(spawner, worker, ends.scoreboard);
	plan.output = ends.output;
	plan.ruleset = ends.ruleset;
	if (worker_conf(worker)->output_direct)
		plan.direct = worker_conf(worker)->output;
	worker->cgroup = make_cgroup(spawner, worker);
	pid = cgroup_fork(worker->cgroup);
	if (pid == 0)
		child_become(&plan, ends.report);
	error = errno;
	close_childs_ends(&ends);
	if (pid < 0) {
		end_report(spawner, worker);
		capture_forget(&worker->capture);
		spawn_close_board(worker);
		cgroup_leave(&worker->cgroup);
		errno = error;
		return false;
	}
	guardian_watch(spawner->guardian, pid);
	capture_begins(worker->capture, pid);
	ledger_count_start(worker->generation->pool->ledger);
	record_start(worker, pid, now);
	return true;
}

bool spawn_probe(struct spawner *spawner, struct worker *worker, int64_t now)
{
	struct child_plan plan;
	pid_t pid;

	arena_reset(spawner->scratch);
	plan = plan_of(spawner, worker, -1);
	plan.program = worker->generation->plan.probe;
	plan.arguments = worker->generation->plan.ready.command.word;
	plan.input = -1;
	plan.death_signal = SIGKILL;
	if (!open_ruleset(worker, &plan.ruleset))
		return false;
	pid = fork();
	if (pid == 0)
		child_become(&plan, -1);
	close_ruleset(plan.ruleset);
	if (pid < 0)
		return false;
	worker->probe.pid = pid;
	worker->probe.deadline = now + PROBE_PATIENCE;
	return true;
}

void spawn_end_probe(struct worker *worker)
{
	if (worker->probe.fd >= 0)
		close(worker->probe.fd);
	worker->probe.fd = -1;
	/* Its own group, and itself in case it has not made that yet; it is forgotten when reaped.
	 */
	if (worker->probe.pid > 0) {
		kill(-worker->probe.pid, SIGKILL);
		kill(worker->probe.pid, SIGKILL);
	}
}

pid_t spawn_trace_command(struct spawner *spawner, const struct worker *worker, int output)
{
	const struct pool_conf *conf = worker_conf(worker);
	struct confinement unlimited = { .no_new_privileges = conf->no_new_privs };
	struct child_plan plan;
	pid_t pid;

	arena_reset(spawner->scratch);
	plan = plan_of(spawner, worker, -1);
	plan.program = worker->generation->plan.tracer;
	plan.arguments = program_arguments(spawner->scratch, conf->trace_command.word, worker->pid);
	plan.input = -1;
	plan.output = output;
	plan.confinement = &unlimited;
	plan.death_signal = SIGKILL;
	pid = fork();
	if (pid == 0)
		child_become(&plan, -1);
	return pid;
}

void spawn_signal(const struct worker *worker, int signal)
{
	if (worker->pid > 0 && kill(worker->pid, signal) < 0)
		log_warn("%s: cannot send signal %d: %s", worker->name, signal, strerror(errno));
}

void spawn_kill_group(const struct worker *worker)
{
	if (worker->pid <= 0)
		return;
	kill(-worker->pid, SIGKILL);
	kill(worker->pid, SIGKILL);
	cgroup_kill(worker->cgroup);
}

uint32_t spawn_any_number(void)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		return (uint32_t)clock_now();
	return number;
}
