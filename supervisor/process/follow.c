/* follow.c - goes with a busy worker up to the moment when it would take its next request. */
#include "supervisor/process/follow.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "supervisor/process/idle.h"
#include "supervisor/system/in_force.h"
#include "supervisor/system/tracee.h"

/* How a stop at a system call is told from others: PTRACE_O_TRACESYSGOOD. */
#define AT_SYSTEM_CALL (SIGTRAP | 0x80)

#define STOP_PATIENCE (5 * SECOND_US / 1000)

/* A filter would be asked about the call that is none, and may answer with death. */
static bool is_filtered(pid_t pid)
{
	struct in_force found;

	return !in_force_read(pid, &found) || found.seccomp != 0;
}

/* One may be about to accept while another works.  A folder has a link from each folder in it. */
static bool has_one_thread(pid_t pid)
{
	char path[32];
	struct stat task;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return stat(path, &task) == 0 && task.st_nlink == 2 + 1;
}

bool follow_begin(pid_t pid)
{
	if (!tracee_can_mend() || !has_one_thread(pid) || is_filtered(pid))
		return false;
	/* It stops in its own time; SIGCHLD tells, and follow_step() lets it go on. */
	return ptrace(PTRACE_SEIZE, pid, NULL, (long)PTRACE_O_TRACESYSGOOD) == 0 &&
	       ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0;
}

static bool is_about_to_accept(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <
	    (long)offsetof(struct __ptrace_syscall_info, entry.args[1]))
		return false;
	return info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.args[0] == 0 &&
	       (info.entry.nr == SYS_accept || info.entry.nr == SYS_accept4);
}

/* The signal is there before it goes on, so it is handled where accept would return. */
static bool ask_instead(pid_t pid, int signal)
{
	if (!is_about_to_accept(pid) || !has_one_thread(pid) || !tracee_take_call(pid))
		return false;
	kill(pid, signal);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return true;
}

bool follow_step(pid_t pid, int signal)
{
	siginfo_t seen = { .si_pid = 0 };
	int stop;

	if (waitid(P_PID, (id_t)pid, &seen, WSTOPPED | WNOHANG | __WALL) < 0 || seen.si_pid == 0)
		return false;
	stop = seen.si_status;
	if (stop == AT_SYSTEM_CALL && ask_instead(pid, signal))
		return true;
	if (stop == (SIGTRAP | PTRACE_EVENT_STOP << 8))
		tracee_mend(pid); /* the first stop, by our wish, at no place in particular */
	if (stop >> 8 == PTRACE_EVENT_STOP && (stop & 0xff) != SIGTRAP)
		ptrace(PTRACE_LISTEN, pid, NULL, NULL); /* somebody else has stopped it */
	else /* a signal on its way, which it shall get, or a stop of ours */
		ptrace(PTRACE_SYSCALL, pid, NULL,
		    stop < SIGRTMAX && stop != SIGTRAP ? (long)stop : 0L);
	return false;
}

void follow_end(pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 20 * 1000 };
	int64_t patience = clock_now() + STOP_PATIENCE;

	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	while (!idle_let_go(pid) && clock_now() < patience)
		nanosleep(&moment, NULL);
}
