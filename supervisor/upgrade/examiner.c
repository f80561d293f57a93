/* examiner.c - asks the program of a next ostlerd whether it can take a state over. */
#include "supervisor/upgrade/examiner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/pool/verdict.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/upgrade/state.h"

#define SAID_ROOM     4096
#define LOOK_INTERVAL 5 /* ms */
#define NOT_EXECUTED  127

struct examiner {
	struct watch watch; /* the pipe of what it says */
	struct loop *loop;
	const char *program;
	uint64_t token;
	pid_t pid; /* 0: it has ended */
	struct ending ending;
	size_t length;
	char said[SAID_ROOM + 1];
};

static void write_yes(uint64_t token, char yes[static 64])
{
	snprintf(yes, 64, "can take over %016llx\n", (unsigned long long)token);
}

/* What does not fit is dropped: nobody is to wait because of it. */
static void hear(struct examiner *examiner)
{
	char more[1024];
	ssize_t got;

	while ((got = read(examiner->watch.fd, more, sizeof(more))) > 0) {
		size_t room = SAID_ROOM - examiner->length;
		size_t part = (size_t)got < room ? (size_t)got : room;

		memcpy(examiner->said + examiner->length, more, part);
		examiner->length += part;
	}
	if (got == 0)
		loop_drop(examiner->loop, &examiner->watch); /* it would be heard of for ever */
}

static void something_is_said(struct watch *watch, uint32_t events)
{
	(void)events;
	hear(watch->owner);
}

/* Dies with us; leads a group of its own, so that all of it can be ended. */
static void become(const struct candidate *candidate, const struct state *state, int fd, int out)
{
	char number[16];
	char *arguments[] = { (char *)candidate->program, (char *)"-c", (char *)candidate->file,
		(char *)EXAMINER_CHECK, number, NULL };

	snprintf(number, sizeof(number), "%d", fd);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
	    fcntl(fd, F_SETFD, 0) < 0 || !state_keep_descriptors(state, true))
		_exit(NOT_EXECUTED);
	execv(candidate->program, arguments);
	dprintf(out, "cannot be executed: %s", strerror(errno));
	_exit(NOT_EXECUTED);
}

static struct examiner *make(struct loop *loop, const struct candidate *candidate, int out)
{
	struct examiner *examiner = calloc(1, sizeof(*examiner));

	if (examiner == NULL)
		return NULL;
	examiner->loop = loop;
	examiner->program = candidate->program;
	examiner->watch = (struct watch){ .fd = out, .act = something_is_said, .owner = examiner };
	if (loop_add(loop, &examiner->watch, EPOLLIN))
		return examiner;
	free(examiner);
	return NULL;
}

static struct examiner *start(
    struct loop *loop, const struct candidate *candidate, const struct state *state, int fd)
{
	struct examiner *examiner;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return NULL;
	ends[0] = descriptor_raise(ends[0]);
	fcntl(ends[1], F_SETFL, 0);
	examiner = make(loop, candidate, ends[0]);
	if (examiner == NULL) {
		close(ends[0]);
		close(ends[1]);
		return NULL;
	}
	examiner->token = state_token(state);
	examiner->pid = fork();
	if (examiner->pid == 0)
		become(candidate, state, fd, ends[1]);
	close(ends[1]);
	if (examiner->pid < 0) {
		examiner->pid = 0;
		examiner_free(&examiner);
	}
	return examiner;
}

struct examiner *examiner_begin(
    struct loop *loop, const struct candidate *candidate, const struct state *state)
{
	int fd = state_seal(state);
	struct examiner *examiner;

	if (fd < 0)
		return NULL;
	examiner = start(loop, candidate, state, fd);
	close(fd);
	return examiner;
}

bool examiner_hear_end(struct examiner *examiner, pid_t pid, const struct ending *ending)
{
	if (examiner == NULL || pid <= 0 || examiner->pid != pid)
		return false;
	hear(examiner);
	kill(-pid, SIGKILL); /* what it has left behind */
	examiner->pid = 0;
	examiner->ending = *ending;
	return true;
}

static bool look(struct examiner *examiner)
{
	siginfo_t dead = { .si_pid = 0 };
	struct ending ending;

	if (waitid(P_PID, (id_t)examiner->pid, &dead, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    dead.si_pid == 0)
		return false;
	ending = (struct ending){ .signalled = dead.si_code != CLD_EXITED, .code = dead.si_status };
	examiner_hear_end(examiner, dead.si_pid, &ending);
	return waitid(P_PID, (id_t)dead.si_pid, &dead, WEXITED) == 0;
}

void examiner_wait(struct examiner *examiner, int64_t deadline)
{
	while (examiner->pid != 0 && !look(examiner) && clock_now() < deadline) {
		struct pollfd said = { .fd = examiner->watch.fd, .events = POLLIN };

		poll(&said, 1, LOOK_INTERVAL);
		hear(examiner);
	}
}

bool examiner_has_ended(const struct examiner *examiner)
{
	return examiner->pid == 0;
}

/* Its first line, printable: what it wrote goes to the log and to a terminal. */
static void first_line(const struct examiner *examiner, char line[static 256])
{
	size_t length = strcspn(examiner->said, "\n");

	if (length > 255)
		length = 255;
	for (size_t i = 0; i < length; i++)
		line[i] = (char)((unsigned char)examiner->said[i] >= ' ' ? examiner->said[i] : ' ');
	line[length] = '\0';
}

const char *examiner_verdict(const struct examiner *examiner, char text[static EXAMINER_TEXT])
{
	const struct ending *ending = &examiner->ending;
	char yes[64], line[256];

	write_yes(examiner->token, yes);
	first_line(examiner, line);
	if (examiner->pid != 0)
		snprintf(text, EXAMINER_TEXT, "%s does not answer", examiner->program);
	else if (ending->signalled)
		snprintf(text, EXAMINER_TEXT, "%s was ended by signal %d (%s)", examiner->program,
		    ending->code,
		    sigdescr_np(ending->code) != NULL ? sigdescr_np(ending->code) : "unknown");
	else if (ending->code == 0 && strstr(examiner->said, yes) != NULL)
		return NULL;
	else if (ending->code == 0)
		snprintf(
		    text, EXAMINER_TEXT, "%s is no ostlerd that can take over", examiner->program);
	else
		snprintf(text, EXAMINER_TEXT, "%s: %s (status %d)", examiner->program,
		    line[0] != '\0' ? line : "cannot take over", ending->code);
	return text;
}

void examiner_free(struct examiner **examiner)
{
	struct examiner *e = *examiner;

	*examiner = NULL;
	if (e == NULL)
		return;
	loop_drop(e->loop, &e->watch);
	close(e->watch.fd);
	if (e->pid != 0) {
		kill(-e->pid, SIGKILL);
		kill(e->pid, SIGKILL); /* it is reaped as a stranger */
	}
	free(e);
}

void examiner_say_yes(const struct state *state)
{
	char yes[64];

	write_yes(state_token(state), yes);
	fputs(yes, stdout);
	fflush(stdout);
}
