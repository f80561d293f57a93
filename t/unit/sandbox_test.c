/*
 * sandbox_test.c - what is left in a sandbox, and what is not; each case in a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"
#include "core/serve/sandbox.h"

static int program_is_executed(void)
{
	static char name[] = "/bin/true";
	char *words[] = { name, NULL };

	return execv(name, words);
}

static int process_is_made(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int program_is_spawned(void)
{
	static char name[] = "/bin/true";
	char *words[] = { name, NULL };
	int error = posix_spawn(NULL, name, NULL, NULL, words, NULL);

	errno = error;
	return error == 0 ? 0 : -1;
}

static int code_is_made(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) == MAP_FAILED
		   ? -1
		   : 0;
}

static int memory_becomes_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int other_is_traced(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int other_is_signalled(void)
{
	return kill(getppid(), 0);
}

static int packets_are_seen(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int user_is_changed(void)
{
	return setuid(getuid());
}

static int limit_is_changed(void)
{
	const struct rlimit limit = { 100, 100 };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static int place_is_listened_at(void)
{
	return listen(0, 1);
}

static const struct attempt {
	int (*try)(void);
	const char *call; /* as it is written */
} refused[] = {
	{ program_is_executed, "execve" },
	{ process_is_made, "clone" },
	{ code_is_made, "mmap" },
	{ memory_becomes_code, "mprotect" },
	{ other_is_traced, "ptrace" },
	{ other_is_signalled, "kill" },
	{ packets_are_seen, "socket" },
	{ user_is_changed, "setuid" },
	{ limit_is_changed, "prlimit64" },
	{ place_is_listened_at, "listen" },
};

static void *do_nothing(void *of)
{
	return of;
}

static int thread_is_started(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, do_nothing, NULL) == 0 &&
		       pthread_join(thread, NULL) == 0
		   ? 0
		   : -1;
}

static int file_is_written(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	return fd >= 0 && write(fd, "x", 1) == 1 ? 0 : -1;
}

/* Nobody is there; what counts is that it may try. */
static int connection_is_tried(void)
{
	struct sockaddr_un place = { .sun_family = AF_UNIX, .sun_path = "/nonexistent/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	connect(fd, (const struct sockaddr *)&place, sizeof(place));
	return fd >= 0 && errno == ENOENT ? 0 : -1;
}

static int memory_is_taken(void)
{
	char *much = malloc(64 << 20);

	if (much != NULL)
		memset(much, 1, 64 << 20);
	free(much);
	return much != NULL ? 0 : -1;
}

static int (*const possible[])(
    void) = { thread_is_started, file_is_written, connection_is_tried, memory_is_taken };

/* 0: it worked; otherwise the errno.  The outcome of a child: or 128 and its signal. */
static int outcome(int (*try)(void))
{
	errno = 0;
	return try() >= 0 ? 0 : errno != 0 ? errno : 255;
}

/* A thread that is there before the sandbox, and tries after it. */
struct early {
	int (*try)(void);
	int gate[2];
	int outcome;
};

static void *try_later(void *of)
{
	struct early *early = of;
	char go;

	if (read(early->gate[0], &go, 1) == 1)
		early->outcome = outcome(early->try);
	return NULL;
}

static int outcome_in_early_thread(int (*try)(void))
{
	struct early early = { .try = try, .outcome = 255 };
	pthread_t thread;

	if (pipe(early.gate) < 0 || pthread_create(&thread, NULL, try_later, &early) != 0)
		return 255;
	sandbox_enter();
	if (write(early.gate[1], "g", 1) != 1)
		return 255;
	pthread_join(thread, NULL);
	return early.outcome;
}

/* Tries in a child's sandbox.  Returns the outcome; TEXT gets what was written to standard error.
 */
static int tried(int (*try)(void), bool in_early_thread, char *text, size_t room)
{
	int ends[2], status;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		if (in_early_thread)
			_exit(outcome_in_early_thread(try));
		sandbox_enter();
		_exit(outcome(try));
	}
	close(ends[1]);
	got = read(ends[0], text, room - 1);
	text[got > 0 ? got : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void what_a_worker_never_does_is_refused_and_named(void **state)
{
	char text[256], expected[64];

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		assert_int_equal(tried(refused[i].try, false, text, sizeof(text)), EPERM);
		snprintf(expected, sizeof(expected), "sandbox: system call %s (", refused[i].call);
		assert_non_null(strstr(text, expected));
		assert_non_null(strstr(text, ") is refused\n"));
	}
}

/* posix_spawn(3) blocks all signals first, so nobody can be told: the process ends. */
static void who_cannot_be_told_ends(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(tried(program_is_spawned, false, text, sizeof(text)), 128 + SIGSYS);
}

static void threads_that_were_there_before_are_bound_too(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(tried(program_is_executed, true, text, sizeof(text)), EPERM);
	assert_non_null(strstr(text, "sandbox: system call execve ("));
	assert_int_equal(tried(file_is_written, true, text, sizeof(text)), 0);
}

static void what_it_needs_is_left(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(possible); i++) {
		assert_int_equal(tried(possible[i], false, text, sizeof(text)), 0);
		assert_string_equal(text, "");
	}
}

static int try_forever(void)
{
	for (int i = 0; i < 1000; i++)
		other_is_signalled();
	return 0;
}

static void who_tries_without_end_does_not_fill_the_disk(void **state)
{
	char text[65536];
	size_t lines = 0;

	(void)state;
	assert_int_equal(tried(try_forever, false, text, sizeof(text)), 0);
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	assert_in_range(lines, 1, 100);
}

static void it_is_asked_for_by_a_variable(void **state)
{
	(void)state;
	unsetenv("OSTLER_SANDBOX");
	assert_null(sandbox_wanted());
	setenv("OSTLER_SANDBOX", "", 1);
	assert_null(sandbox_wanted());
	setenv("OSTLER_SANDBOX", "web", 1);
	assert_string_equal(sandbox_wanted(), "web");
}

/* A sanitizer makes system calls of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

int main(void)
{
	const struct CMUnitTest variable[] = { cmocka_unit_test(it_is_asked_for_by_a_variable) };
	const struct CMUnitTest sandbox[] = {
		cmocka_unit_test(it_is_asked_for_by_a_variable),
		cmocka_unit_test(what_a_worker_never_does_is_refused_and_named),
		cmocka_unit_test(who_cannot_be_told_ends),
		cmocka_unit_test(threads_that_were_there_before_are_bound_too),
		cmocka_unit_test(what_it_needs_is_left),
		cmocka_unit_test(who_tries_without_end_does_not_fill_the_disk),
	};

	if (SANITIZED)
		return cmocka_run_group_tests(variable, NULL, NULL);
	return cmocka_run_group_tests(sandbox, NULL, NULL);
}
