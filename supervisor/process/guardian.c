/* guardian.c - sees to it that no worker outlives the master, however that ends. */
#include "supervisor/process/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/output/sink.h"
#include "supervisor/pool/pool.h"
#include "supervisor/record/events.h"
#include "supervisor/system/cgroup.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/upgrade/state.h"

/* What the stop signal of the kernel has not ended by then is killed. */
#define GRACE SECOND_US

/* Goes through the pipe; small enough to be written whole or not at all: pipe(7). */
struct note {
	pid_t group;
	bool gone;
};

struct guardian {
	const struct pools *pools;
	const struct cgroups *cgroups;
	pid_t pid;
	int pipe; /* write end; -1: there is no guardian */
};

/* --- the guardian's own life ------------------------------------------------------------------ */

struct group_list {
	pid_t *group;
	size_t count, room;
};

static void remember(struct group_list *groups, pid_t group)
{
	if (groups->count == groups->room) {
		size_t room = groups->room * 2 + 64;
		pid_t *more = realloc(groups->group, room * sizeof(pid_t));

		if (more == NULL)
			_exit(1); /* the master makes another */
		groups->group = more;
		groups->room = room;
	}
	groups->group[groups->count++] = group;
}

static void forget(struct group_list *groups, pid_t group)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->group[i] == group) {
			groups->group[i] = groups->group[--groups->count];
			return;
		}
}

static void listen_to_master(struct group_list *groups, int fd)
{
	struct note note;
	ssize_t got;

	while ((got = read(fd, &note, sizeof(note))) != 0) {
		if (got != (ssize_t)sizeof(note))
			continue; /* EINTR; notes come whole */
		if (note.gone)
			forget(groups, note.group);
		else
			remember(groups, note.group);
	}
}

static bool any_is_left(const struct group_list *groups, const struct cgroups *cgroups)
{
	for (size_t i = 0; i < groups->count; i++)
		if (kill(-groups->group[i], 0) == 0)
			return true;
	return cgroups_any_is_left(cgroups);
}

/* All are killed before a word is said: whoever reads our messages may stand still. */
static void end_groups(const struct group_list *groups, const struct cgroups *cgroups)
{
	const struct timespec moment = { .tv_nsec = 20 * 1000 * 1000 };
	int64_t deadline = clock_now() + GRACE;
	bool any;

	while (any_is_left(groups, cgroups) && clock_now() < deadline)
		nanosleep(&moment, NULL);
	any = any_is_left(groups, cgroups);
	for (size_t i = 0; i < groups->count; i++)
		kill(-groups->group[i], SIGKILL);
	cgroups_kill_all(cgroups);
	if (!any)
		return;
	sinks_leave_log();
	log_warn("ostlerd is gone: what it has left is killed");
}

/* It must outlive what ends the master: its session, its terminal, its signals, its files. */
static void NO_RETURN guard(int fd, const struct cgroups *cgroups)
{
	struct group_list groups = { 0 };
	sigset_t all;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "ostlerd-guard");
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(fd, STDERR_FILENO + 1) < 0 || chdir("/") < 0)
		_exit(1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	listen_to_master(&groups, STDERR_FILENO + 1);
	end_groups(&groups, cgroups);
	_exit(0);
}

/* --- the master's side ------------------------------------------------------------------------ */

static bool engage(struct guardian *guardian)
{
	int ends[2];

	guardian->pipe = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	guardian->pid = fork();
	if (guardian->pid == 0)
		guard(ends[0], guardian->cgroups);
	close(ends[0]);
	guardian->pipe = descriptor_raise(ends[1]);
	if (guardian->pid > 0 && guardian->pipe >= 0 &&
	    fcntl(guardian->pipe, F_SETFL, O_NONBLOCK) == 0)
		return true;
	if (guardian->pipe >= 0)
		close(guardian->pipe);
	guardian->pipe = -1;
	return false;
}

struct guardian *guardian_start(
    struct arena *arena, const struct pools *pools, const struct cgroups *cgroups)
{
	struct guardian *guardian = arena_alloc(arena, sizeof(*guardian));

	guardian->pools = pools;
	guardian->cgroups = cgroups;
	return engage(guardian) ? guardian : NULL;
}

void guardian_end(struct guardian **guardian)
{
	struct guardian *g = *guardian;

	*guardian = NULL;
	if (g == NULL || g->pipe < 0)
		return;
	close(g->pipe);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* One that does not listen is no guardian: it is ended, and its death brings the next. */
static void tell(struct guardian *guardian, pid_t group, bool gone)
{
	struct note note = { .group = group, .gone = gone };

	if (guardian == NULL || guardian->pipe < 0)
		return;
	if (write(guardian->pipe, &note, sizeof(note)) != (ssize_t)sizeof(note))
		kill(guardian->pid, SIGKILL);
}

void guardian_watch(struct guardian *guardian, pid_t group)
{
	tell(guardian, group, false);
}

void guardian_forget(struct guardian *guardian, pid_t group)
{
	tell(guardian, group, true);
}

static void tell_all(struct guardian *guardian)
{
	for (size_t i = 0; i < guardian->pools->count; i++)
		for (const struct generation *g = guardian->pools->pool[i]->newest; g != NULL;
		     g = g->older)
			for (size_t j = 0; j < g->count; j++)
				if (g->worker[j]->pid != 0)
					guardian_watch(guardian, g->worker[j]->pid);
}

bool guardian_has_died(struct guardian *guardian, pid_t pid)
{
	if (guardian == NULL || pid != guardian->pid)
		return false;
	close(guardian->pipe);
	if (engage(guardian)) {
		tell_all(guardian);
		log_warn("the guardian has died; there is another");
	} else {
		guardian->pid = 0;
		log_warn("the guardian has died, and there can be no other: %s", strerror(errno));
		event_master(EVENT_TROUBLE, "no guardian: %s", strerror(errno));
	}
	return true;
}

void guardian_pass(
    struct state *state, const struct guardian *guardian, struct guardian_before *before)
{
	if (guardian != NULL)
		*before = (struct guardian_before){ guardian->pid, guardian->pipe };
	state_part(state, "guardian");
	before->pipe = state_descriptor(state, "pipe", before->pipe);
	before->pid = (pid_t)state_number(state, "pid", before->pid, 0, INT32_MAX);
}

/*
 * Not until the new one knows all: there is no moment without a guardian.  The old
 * one is killed before its pipe ends, which it would take for our end.
 */
struct guardian *guardian_succeed(struct arena *arena, const struct pools *pools,
    const struct cgroups *cgroups, struct guardian_before *before)
{
	struct guardian *guardian = guardian_start(arena, pools, cgroups);

	if (guardian == NULL)
		return NULL;
	tell_all(guardian);
	if (before->pid > 1)
		kill(before->pid, SIGKILL);
	while (before->pid > 1 && waitpid(before->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (before->pipe >= 0)
		close(before->pipe);
	return guardian;
}
