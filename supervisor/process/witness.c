/* witness.c - a process of its own that looks where another one is, and writes it down. */
#include "supervisor/process/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "supervisor/record/testimony.h"
#include "supervisor/system/call.h"
#include "supervisor/system/modules.h"
#include "supervisor/system/proc.h"
#include "supervisor/system/stack.h"
#include "supervisor/system/tracee.h"

#define THREADS_MOST 256
#define FRAMES_MOST  48 /* of a thread */

/* A thread that the kernel is busy with gets one part of the time that is left, the others the
 * rest.
 */
#define STOP_PART 4

struct looking {
	const struct witness_wish *wish;
	struct arena *arena;
	struct stack *stack;
	struct modules *modules;
	FILE *out;
	bool refused; /* the kernel does not let us stop any of it */
};

/* --- one thread ------------------------------------------------------------------------------- */

/* FILE of the thread, without the newline at its end; "" when it cannot be read. */
static const char *read_text(struct looking *l, pid_t tid, const char *file)
{
	char name[48], text[256];

	snprintf(name, sizeof(name), "task/%d/%s", (int)tid, file);
	if (!proc_read(l->wish->pid, name, text, sizeof(text)))
		return "";
	return arena_copy(l->arena, text, strcspn(text, "\n"));
}

/* Behind the name, which may itself have brackets and blanks in it: proc_pid_stat(5). */
static const char *read_state(struct looking *l, pid_t tid)
{
	const char *stat = read_text(l, tid, "stat");
	const char *end = strrchr(stat, ')');

	return end != NULL && end[1] == ' ' ? arena_copy(l->arena, end + 2, 1) : "?";
}

static const char *read_call(struct looking *l, pid_t tid)
{
	char file[48], name[CALL_NAME];
	struct call call;
	bool refused;

	snprintf(file, sizeof(file), "task/%d/syscall", (int)tid);
	if (!call_read(l->wish->pid, file, &call, &refused) || call.number < 0)
		return "";
	return arena_print(l->arena, "%s(0x%lx, 0x%lx, 0x%lx)", call_name(call.number, name),
	    call.argument[0], call.argument[1], call.argument[2]);
}

/* The kernel says 0 when the thread runs, or when we may not know. */
static const char *read_wchan(struct looking *l, pid_t tid)
{
	const char *wchan = read_text(l, tid, "wchan");

	return strcmp(wchan, "0") == 0 ? "" : wchan;
}

static void name_frame(
    struct looking *l, const struct stack_frame *seen, struct testimony_frame *frame)
{
	char name[STACK_NAME];
	struct module module;
	uint64_t into;

	*frame = (struct testimony_frame){ .function = "", .module = "", .build_id = "" };
	if (l->modules != NULL && modules_find(l->modules, seen->place, &module)) {
		frame->module = module.path[0] != '\0' ? module.path : "memory without a file";
		frame->offset = (long long)module.offset;
		frame->build_id = arena_copy(l->arena, module.build_id, strlen(module.build_id));
	}
	if (!stack_name(l->stack, seen, name, &into))
		return;
	frame->function = arena_copy(l->arena, name, strlen(name));
	frame->into = (long long)into;
}

/* Stopped no longer than it takes to count its frames; they get their names when it goes on. */
static void look_at_stack(struct looking *l, pid_t tid, struct testimony_thread *thread)
{
	int64_t now = clock_now();
	struct stack_frame frame[FRAMES_MOST];
	struct tracee tracee;
	char text[TRACEE_TEXT];

	switch (tracee_stop(tid, now + (l->wish->until - now) / STOP_PART, &tracee)) {
	case TRACEE_STOPPED:
		thread->frames = stack_walk(l->stack, tid, frame, FRAMES_MOST);
		tracee_release(&tracee);
		break;
	case TRACEE_GONE:
		thread->note = "it has ended meanwhile";
		break;
	case TRACEE_BUSY:
		thread->note = "it cannot be stopped: the kernel is busy with it";
		break;
	case TRACEE_REFUSED:
		l->refused = true;
		testimony_write_trouble(
		    l->out, arena_print(l->arena, "its stack cannot be seen: %s",
				tracee_refusal(l->wish->pid, errno, text)));
		break;
	}
	thread->frame = arena_alloc(l->arena, (thread->frames + 1) * sizeof(*thread->frame));
	for (size_t i = 0; i < thread->frames; i++)
		name_frame(l, &frame[i], &thread->frame[i]);
	if (thread->frames == FRAMES_MOST)
		thread->note = "and more frames";
}

static void look_at_thread(struct looking *l, pid_t tid)
{
	long long number = tid;
	/* Before it is stopped: then it would be waiting for us. */
	struct testimony_thread thread = { .tid = &number,
		.name = read_text(l, tid, "comm"),
		.state = read_state(l, tid),
		.call = read_call(l, tid),
		.wchan = read_wchan(l, tid),
		.note = "" };

	if (thread.state[0] == 'Z')
		thread.note = "it has ended";
	else if (!l->refused)
		look_at_stack(l, tid, &thread);
	testimony_write_thread(l->out, &thread);
	arena_reset(l->arena);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void look_at_threads(struct looking *l)
{
	const struct dirent *thread;
	char path[32];
	size_t count = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)l->wish->pid);
	threads = opendir(path);
	if (threads == NULL)
		testimony_write_trouble(l->out, "it has ended");
	while (threads != NULL && (thread = readdir(threads)) != NULL) {
		if (thread->d_name[0] == '.')
			continue;
		if (count++ == THREADS_MOST) {
			testimony_write_trouble(l->out, "it has more threads than these");
			break;
		}
		look_at_thread(l, atoi(thread->d_name));
	}
	if (threads != NULL)
		closedir(threads);
}

/* Nothing of the master's stays with it, and it does not outlive him. */
static bool leave_master(const struct witness_wish *wish, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != wish->master)
		return false;
	prctl(PR_SET_NAME, "ostlerd-witness");
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0)
		return false;
	return close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

void witness_look(const struct witness_wish *wish, int out)
{
	struct arena *lasting, *arena;
	struct looking l = { .wish = wish };

	if (!leave_master(wish, out))
		_exit(1);
	lasting = arena_new(65536);
	arena = arena_new(65536);
	l.arena = arena;
	l.out = fdopen(STDOUT_FILENO, "w");
	l.stack = stack_open(wish->pid);
	l.modules = modules_read(lasting, wish->pid);
	if (l.out == NULL || l.stack == NULL)
		_exit(1);
	/* Where interrupted calls cannot be mended, who lives on is not interrupted. */
	l.refused = !wish->doomed && !tracee_can_mend();
	if (l.refused)
		testimony_write_trouble(l.out, "its stack cannot be seen on this kind of processor "
					       "without interrupting what it does");
	look_at_threads(&l);
	_exit(0);
}
