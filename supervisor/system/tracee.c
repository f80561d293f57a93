/* tracee.c - a thread of another process, stopped for a look and let go unharmed: ptrace(2). */
#include "supervisor/system/tracee.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/system/proc.h"

/* Of the kernel: a call to begin again, unless a handler of a signal runs first; then EINTR. */
#define ERESTARTNOHAND 514

#define EVENT_OF(status) ((status) >> 16)

/* --- what the registers of a processor say of a call ------------------------------------------ */

#if defined(__x86_64__)

bool tracee_can_mend(void)
{
	return true;
}

static bool read_registers(pid_t tid, struct user_regs_struct *registers)
{
	struct iovec where = { registers, sizeof(*registers) };

	return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &where) == 0 &&
	       where.iov_len == sizeof(*registers); /* a program of 32 bits has another set */
}

static bool write_registers(pid_t tid, struct user_regs_struct *registers)
{
	struct iovec where = { registers, sizeof(*registers) };

	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &where) == 0;
}

/*
 * The kernel looks at the result of an interrupted call once more when the thread
 * goes on.  EINTR it would hand to the program; what stands there now it takes as
 * the wish of the call to be begun again.  A signal with a handler that has come
 * meanwhile still makes EINTR of it, as it would have without us.
 */
void tracee_mend(pid_t tid)
{
	struct user_regs_struct registers;

	if (!read_registers(tid, &registers) || (long long)registers.orig_rax < 0 ||
	    (long long)registers.rax != -EINTR)
		return;
	registers.rax = (unsigned long long)-ERESTARTNOHAND;
	(void)write_registers(tid, &registers);
}

bool tracee_take_call(pid_t tid)
{
	struct user_regs_struct registers;

	if (!read_registers(tid, &registers))
		return false;
	registers.orig_rax = (unsigned long long)-1;
	registers.rax = (unsigned long long)-EINTR;
	return write_registers(tid, &registers);
}

#else

bool tracee_can_mend(void)
{
	return false;
}

void tracee_mend(pid_t tid)
{
	(void)tid;
}

bool tracee_take_call(pid_t tid)
{
	(void)tid;
	return false;
}

#endif

/* --- stopping, and letting go ----------------------------------------------------------------- */

/* A stop by our wish is an event; any other is a signal on its way, or a stop of the whole group,
 * which the thread goes back to when it is let go. */
static void note_stop(struct tracee *tracee, int status)
{
	if (EVENT_OF(status) == PTRACE_EVENT_STOP)
		tracee_mend(tracee->tid);
	else
		tracee->signal = WSTOPSIG(status);
}

static enum tracee_answer wait_for_stop(struct tracee *tracee, int64_t deadline)
{
	const struct timespec moment = { .tv_nsec = 50 * 1000 };

	do {
		int status;
		pid_t seen = waitpid(tracee->tid, &status, __WALL | WNOHANG);

		if (seen < 0 && errno != EINTR)
			return TRACEE_GONE;
		if (seen > 0 && !WIFSTOPPED(status))
			return TRACEE_GONE;
		if (seen > 0) {
			note_stop(tracee, status);
			return TRACEE_STOPPED;
		}
		nanosleep(&moment, NULL);
	} while (clock_now() < deadline);
	return TRACEE_BUSY;
}

enum tracee_answer tracee_stop(pid_t tid, int64_t deadline, struct tracee *tracee)
{
	*tracee = (struct tracee){ .tid = tid };
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
		return errno == ESRCH ? TRACEE_GONE : TRACEE_REFUSED;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		return TRACEE_GONE;
	return wait_for_stop(tracee, deadline);
}

void tracee_release(const struct tracee *tracee)
{
	ptrace(PTRACE_DETACH, tracee->tid, NULL, (long)tracee->signal);
}

/* --- why not ---------------------------------------------------------------------------------- */

/* The number behind NAME in /proc/PID/status; -1: it is not there. */
static long status_number(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line != NULL ? strtol(line + strlen(name), NULL, 10) : -1;
}

/* Yama, where the kernel has it, lets only those look who come before the process in its family. */
static int yama_scope(void)
{
	int scope = 0;
	FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &scope) != 1)
		scope = 0;
	fclose(file);
	return scope;
}

/* The files of a process that is not dumpable belong to root, whoever it is itself: proc(5). */
static bool is_undumpable(pid_t pid, long user)
{
	struct stat about;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return user != 0 && lstat(path, &about) == 0 && about.st_uid == 0;
}

const char *tracee_refusal(pid_t pid, int error, char text[static TRACEE_TEXT])
{
	char status[4096];
	long tracer, user;

	if (!proc_read(pid, "status", status, sizeof(status))) {
		snprintf(text, TRACEE_TEXT, "it has ended");
		return text;
	}
	tracer = status_number(status, "\nTracerPid:");
	user = status_number(status, "\nUid:");
	if (tracer > 0)
		snprintf(text, TRACEE_TEXT, "process %ld traces it already", tracer);
	else if (error != EPERM && error != EACCES)
		snprintf(text, TRACEE_TEXT, "%s", strerror(error));
	else if (user != (long)geteuid())
		snprintf(text, TRACEE_TEXT,
		    "it is of user %ld, and ostlerd, of user %ld, has no CAP_SYS_PTRACE", user,
		    (long)geteuid());
	else if (is_undumpable(pid, user))
		snprintf(text, TRACEE_TEXT,
		    "it is not dumpable (prctl(2)), and ostlerd has no CAP_SYS_PTRACE");
	else if (yama_scope() > 0)
		snprintf(text, TRACEE_TEXT,
		    "kernel.yama.ptrace_scope is %d, and ostlerd has no CAP_SYS_PTRACE",
		    yama_scope());
	else
		snprintf(text, TRACEE_TEXT, "%s", strerror(error));
	return text;
}
