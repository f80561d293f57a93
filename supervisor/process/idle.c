/*
 * idle.c - asks a worker to end in a moment when it has nothing in hand.
 *
 * Seeing in /proc that a process waits in accept(2) is not enough: a connection
 * may come between the look and the signal.  ptrace(2) closes that gap.  The
 * process is stopped; then its registers tell whether accept was interrupted
 * before it had anything, and the signal is there before it goes on.
 */
#include "supervisor/process/idle.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "supervisor/conf/readiness.h"
#include "supervisor/system/tracee.h"

#define STOP_PATIENCE (5 * SECOND_US / 1000)
#define ERESTARTSYS   512 /* of the kernel: a call that was interrupted and will be begun again */

/* Whether a thread has the signal blocked: the mask in /proc/PID/task/TID/status, proc(5). */
static bool thread_blocks(pid_t pid, const char *thread, int signal)
{
	char path[64], line[128];
	unsigned long long mask = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", (int)pid, thread);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "SigBlk:", 7) == 0)
			mask = strtoull(line + 7, NULL, 16);
	fclose(file);
	return (mask >> (signal - 1) & 1) != 0;
}

struct threads {
	size_t count;
	bool all_block;
};

static struct threads look_at_threads(pid_t pid, int signal)
{
	struct threads threads = { .all_block = true };
	const struct dirent *thread;
	char path[32];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	folder = opendir(path);
	while (folder != NULL && (thread = readdir(folder)) != NULL) {
		if (thread->d_name[0] == '.')
			continue;
		threads.count++;
		threads.all_block = threads.all_block && thread_blocks(pid, thread->d_name, signal);
	}
	if (folder != NULL)
		closedir(folder);
	return threads;
}

/* Whether the call that was interrupted has nothing to show yet: the register of its result. */
static bool will_begin_again(pid_t pid)
{
	struct user_regs_struct registers;
	struct iovec where = { &registers, sizeof(registers) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &where) < 0)
		return false;
#if defined(__x86_64__)
	return (long long)registers.rax == -ERESTARTSYS;
#elif defined(__aarch64__)
	return (long long)registers.regs[0] == -ERESTARTSYS;
#else
	return false;
#endif
}

/*
 * The signal that has stopped it, on its way to it still; 0: our own wish has, by PTRACE_EVENT_STOP
 * in the second byte, or at a system call (follow.c): neither is the number of a signal.
 */
static int signal_of(const siginfo_t *stop)
{
	return stop->si_status > SIGRTMAX ? 0 : stop->si_status;
}

/* It was waiting a moment ago, so it stops at once; when it does not, SIGCHLD tells later. */
static bool wait_until_stopped(pid_t pid, int *on_its_way)
{
	const struct timespec moment = { .tv_nsec = 20 * 1000 };
	int64_t patience = clock_now() + STOP_PATIENCE;
	siginfo_t seen;

	do {
		memset(&seen, 0, sizeof(seen));
		if (waitid(P_PID, (id_t)pid, &seen, WSTOPPED | WNOHANG | __WALL) < 0)
			return false;
		if (seen.si_pid == pid) {
			*on_its_way = signal_of(&seen);
			return true;
		}
		nanosleep(&moment, NULL);
	} while (clock_now() < patience);
	return false;
}

/* It goes on with what it was at, whatever that is by now. */
static void let_go(pid_t pid, int on_its_way)
{
	if (on_its_way == 0)
		tracee_mend(pid);
	ptrace(PTRACE_DETACH, pid, NULL, (long)on_its_way);
}

static enum idle ask_stopped(pid_t pid, int signal, int on_its_way)
{
	enum idle answer = IDLE_NOT;

	if (readiness_waits_in_accept(pid) == LOOK_YES && will_begin_again(pid) &&
	    kill(pid, signal) == 0)
		answer = IDLE_ASKED;
	let_go(pid, on_its_way);
	return answer;
}

static enum idle stop_and_ask(pid_t pid, int signal)
{
	int on_its_way;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return errno == ESRCH ? IDLE_NOT : IDLE_UNKNOWN;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		return IDLE_UNKNOWN;
	return wait_until_stopped(pid, &on_its_way) ? ask_stopped(pid, signal, on_its_way)
						    : IDLE_NOT;
}

enum idle idle_ask(pid_t pid, int signal)
{
	struct threads threads = look_at_threads(pid, signal);
	enum look seen;

	if (threads.count == 0)
		return IDLE_NOT;
	if (threads.all_block)
		return kill(pid, signal) == 0 ? IDLE_ASKED : IDLE_NOT;
	if (threads.count > 1)
		return IDLE_UNKNOWN; /* one may wait while another works */
	seen = readiness_waits_in_accept(pid);
	if (seen == LOOK_UNKNOWN)
		return IDLE_UNKNOWN;
	return seen == LOOK_YES ? stop_and_ask(pid, signal) : IDLE_NOT;
}

bool idle_let_go(pid_t pid)
{
	siginfo_t seen = { .si_pid = 0 };

	/* To a tracer a stop is reported whatever is waited for: it must be taken away. */
	if (waitid(P_PID, (id_t)pid, &seen, WSTOPPED | WNOHANG | __WALL) < 0)
		return true;
	if (seen.si_pid == 0)
		return false;
	if (seen.si_status > SIGRTMAX && seen.si_status <= 0xff) /* no call is interrupted there */
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	else
		let_go(pid, signal_of(&seen));
	return true;
}
