/* tracee_test.c - a thread that is looked at goes on as if nothing had been, whatever becomes of
 * us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/system/call.h"
#include "supervisor/system/proc.h"
#include "supervisor/system/stack.h"
#include "supervisor/system/tracee.h"

#define LONG (60 * SECOND_US)

/* A child that does something which ends when it is sent a byte, and exits with what came of it. */
struct child {
	pid_t pid;
	int to; /* -1 for one that is sent nothing */
};

static int receives_here(int from)
{
	const struct timeval most = { .tv_sec = 120 };
	char byte;

	setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	return read(from, &byte, 1) == 1 ? 0 : errno;
}

static int waits_here(int from)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, from, &event);
	return epoll_wait(set, &event, 1, 120000) == 1 ? 0 : errno;
}

static int polls_here(int from)
{
	struct pollfd polled = { .fd = from, .events = POLLIN };

	return poll(&polled, 1, 120000) == 1 ? 0 : errno;
}

static struct child begin(int (*run)(int from))
{
	struct child child;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		close(ends[1]);
		_exit(run(ends[0]));
	}
	close(ends[0]);
	child.to = ends[1];
	return child;
}

static void end(struct child *child, int status)
{
	int ended;

	assert_int_equal(write(child->to, "x", 1), 1);
	assert_int_equal(waitpid(child->pid, &ended, 0), child->pid);
	assert_true(WIFEXITED(ended));
	assert_int_equal(WEXITSTATUS(ended), status);
	close(child->to);
}

static char state_of(pid_t pid)
{
	char text[512];
	const char *name;

	assert_true(proc_read(pid, "stat", text, sizeof(text)));
	name = strrchr(text, ')');
	assert_non_null(name);
	return name[2];
}

static void wait_for_state(pid_t pid, char state)
{
	int64_t deadline = clock_now() + LONG;

	while (state_of(pid) != state) {
		assert_true(clock_now() < deadline);
		usleep(1000);
	}
}

/* Until it is in the kernel, in a call of that name. */
static void wait_for_call(pid_t pid, const char *name)
{
	int64_t deadline = clock_now() + LONG;
	char found[CALL_NAME] = "";
	struct call call;
	bool refused;

	while (strcmp(found, name) != 0) {
		assert_true(clock_now() < deadline);
		usleep(1000);
		if (call_read(pid, "syscall", &call, &refused) && call.number >= 0)
			call_name(call.number, found);
	}
}

static void a_call_that_was_interrupted_is_not_noticed(void **state)
{
	static const struct {
		int (*run)(int from);
		const char *call;
	} ways[] = { { receives_here, "read" }, { waits_here, "epoll_wait" },
		{ polls_here, "poll" } };

	(void)state;
	if (!tracee_can_mend())
		skip();
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct child child = begin(ways[i].run);
		struct tracee tracee;

		wait_for_call(child.pid, ways[i].call);
		for (int times = 0; times < 20; times++) {
			assert_int_equal(
			    tracee_stop(child.pid, clock_now() + LONG, &tracee), TRACEE_STOPPED);
			tracee_release(&tracee);
		}
		end(&child, 0);
	}
}

static int is_asked_to_end(int from)
{
	(void)from;
	pause();
	return 0;
}

static void a_signal_that_comes_meanwhile_is_handed_on(void **state)
{
	struct child child = begin(is_asked_to_end);
	struct tracee tracee;
	int ended;

	(void)state;
	wait_for_call(child.pid, "pause");
	assert_int_equal(tracee_stop(child.pid, clock_now() + LONG, &tracee), TRACEE_STOPPED);
	assert_int_equal(kill(child.pid, SIGTERM), 0);
	tracee_release(&tracee);
	assert_int_equal(waitpid(child.pid, &ended, 0), child.pid);
	assert_true(WIFSIGNALED(ended));
	assert_int_equal(WTERMSIG(ended), SIGTERM);
	close(child.to);
}

/* The tracer is killed while it holds the thread; the kernel lets go of it. */
static void who_is_stopped_goes_on_when_the_tracer_dies(void **state)
{
	struct child child = begin(receives_here);
	pid_t tracer;
	int ended;

	(void)state;
	wait_for_call(child.pid, "read");
	tracer = fork();
	if (tracer == 0) {
		struct tracee tracee;

		if (tracee_stop(child.pid, clock_now() + LONG, &tracee) == TRACEE_STOPPED)
			pause();
		_exit(1);
	}
	wait_for_state(child.pid, 't');
	assert_int_equal(kill(tracer, SIGKILL), 0);
	assert_int_equal(waitpid(tracer, &ended, 0), tracer);
	wait_for_state(child.pid, 'S');
	end(&child, 0);
}

static void who_is_gone_is_gone(void **state)
{
	struct tracee tracee;

	(void)state;
	assert_int_equal(tracee_stop(999999999, clock_now() + LONG, &tracee), TRACEE_GONE);
}

static void one_tracer_keeps_others_away_and_it_is_said(void **state)
{
	struct child child = begin(polls_here);
	char text[TRACEE_TEXT], expected[TRACEE_TEXT];
	struct tracee tracee;
	int ended;
	pid_t other;

	(void)state;
	wait_for_call(child.pid, "poll");
	assert_int_equal(tracee_stop(child.pid, clock_now() + LONG, &tracee), TRACEE_STOPPED);
	snprintf(expected, sizeof(expected), "process %d traces it already", (int)getpid());
	other = fork();
	if (other == 0) {
		bool refused = tracee_stop(child.pid, clock_now() + LONG, &tracee) ==
			       TRACEE_REFUSED;

		tracee_refusal(child.pid, errno, text);
		_exit(refused && strcmp(text, expected) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(other, &ended, 0), other);
	assert_int_equal(ended, 0);
	tracee_release(&tracee);
	end(&child, 0);
}

static void the_stack_is_that_of_the_child(void **state)
{
	struct child child = begin(polls_here);
	struct stack *stack = stack_open(child.pid);
	struct stack_frame frame[32];
	struct tracee tracee;
	char name[STACK_NAME];
	bool found = false;
	size_t count;
	uint64_t into;

	(void)state;
	assert_non_null(stack);
	wait_for_call(child.pid, "poll");
	assert_int_equal(tracee_stop(child.pid, clock_now() + LONG, &tracee), TRACEE_STOPPED);
	count = stack_walk(stack, child.pid, frame, COUNT(frame));
	tracee_release(&tracee);
	for (size_t i = 0; i < count; i++)
		found = found || (stack_name(stack, &frame[i], name, &into) &&
				     strcmp(name, "polls_here") == 0);
	assert_true(found);
	stack_close(&stack);
	assert_null(stack);
	end(&child, 0);
}

int main(void)
{
	const struct CMUnitTest tracee[] = {
		cmocka_unit_test(a_call_that_was_interrupted_is_not_noticed),
		cmocka_unit_test(a_signal_that_comes_meanwhile_is_handed_on),
		cmocka_unit_test(who_is_stopped_goes_on_when_the_tracer_dies),
		cmocka_unit_test(who_is_gone_is_gone),
		cmocka_unit_test(one_tracer_keeps_others_away_and_it_is_said),
		cmocka_unit_test(the_stack_is_that_of_the_child),
	};

	return cmocka_run_group_tests(tracee, NULL, NULL);
}
