/*
 * inquest.c - why does a worker hang?  Somebody is sent to look, and what he has seen is told.
 *
 * There are so many places for inquests; one that has ended keeps its place, so
 * that who asked for it can be answered, until another needs it.
 */
#include "supervisor/process/inquest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/process/witness.h"
#include "supervisor/record/tell.h"
#include "supervisor/system/descriptor.h"

/* At once: each costs a fork of ours and some hundredths of a second of the processor. */
#define PLACES 8

/* Bytes of a witness or of a command; who has more to say is cut short. */
#define TEXT_MOST 65536

static const char *const reason_names[] = {
	[INQUEST_REQUEST_TIMEOUT] = "request_timeout",
	[INQUEST_READY_TIMEOUT] = "ready_timeout",
	[INQUEST_CANARY_TIMEOUT] = "canary_timeout",
	[INQUEST_DRAIN_TIMEOUT] = "drain_timeout",
	[INQUEST_STOP_TIMEOUT] = "stop_timeout",
	[INQUEST_SLOW_REQUEST] = "slow_request",
	[INQUEST_ASKED] = "asked",
};

enum stage { STAGE_WITNESS, STAGE_COMMAND, STAGES };

struct inquest {
	struct inquests *all;
	unsigned long long number; /* 0: the place was never taken */
	struct worker *worker;     /* NULL: it has ended */
	struct arena *arena;       /* of what is kept: names, and the testimony */
	bool doomed;               /* nothing can do it harm any more */
	int64_t began, until;
	enum stage stage;
	pid_t looker; /* the witness or the command; 0: it is reaped */
	struct watch watch;
	struct buffer text[STAGES]; /* what each has said */
	struct trace trace;
};

struct inquests {
	struct spawner *spawner;
	unsigned long long newest; /* number of the last one begun */
	struct inquest place[PLACES];
};

/* --- who looks -------------------------------------------------------------------------------- */

/* A command leads a group, or is about to. */
static void dismiss_looker(struct inquest *inquest)
{
	if (inquest->watch.fd >= 0) {
		loop_drop(inquest->all->spawner->loop, &inquest->watch);
		close(inquest->watch.fd);
		inquest->watch.fd = -1;
	}
	if (inquest->looker > 0) {
		if (inquest->stage == STAGE_COMMAND)
			kill(-inquest->looker, SIGKILL);
		kill(inquest->looker, SIGKILL);
	}
	inquest->looker = 0; /* reaped as a stranger is */
}

static void testify(struct inquest *inquest)
{
	const struct buffer *witness = &inquest->text[STAGE_WITNESS];
	const struct buffer *command = &inquest->text[STAGE_COMMAND];
	struct testimony_source source = { witness->data, command->data, witness->length,
		command->length };

	inquest->trace.seconds = (double)(clock_now() - inquest->began) / (double)SECOND_US;
	inquest->trace.testimony = testimony_read(inquest->arena, &source);
}

static void finish(struct inquest *inquest, bool cut)
{
	struct worker *worker = inquest->worker;

	dismiss_looker(inquest);
	inquest->trace.cut = inquest->trace.cut || cut;
	testify(inquest);
	inquest->worker = NULL;
	worker->inquest = NULL;
	tell_trace(worker, &inquest->trace);
}

static pid_t fork_looker(struct inquest *inquest, int out)
{
	struct spawner *spawner = inquest->all->spawner;
	const struct witness_wish wish = { .pid = inquest->worker->pid,
		.master = spawner->master,
		.doomed = inquest->doomed,
		.until = inquest->until };
	pid_t pid;

	if (inquest->stage == STAGE_COMMAND)
		return spawn_trace_command(spawner, inquest->worker, out);
	pid = fork();
	if (pid == 0)
		witness_look(&wish, out);
	return pid;
}

static void hear(struct watch *watch, uint32_t events);

/* False with errno set. */
static bool send_looker(struct inquest *inquest, enum stage stage)
{
	int ends[2];
	int error;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	inquest->stage = stage;
	inquest->watch =
	    (struct watch){ .fd = descriptor_raise(ends[0]), .act = hear, .owner = inquest };
	if (inquest->watch.fd >= 0 && fcntl(inquest->watch.fd, F_SETFL, O_NONBLOCK) == 0 &&
	    loop_add(inquest->all->spawner->loop, &inquest->watch, EPOLLIN)) {
		inquest->looker = fork_looker(inquest, ends[1]);
		error = errno;
		close(ends[1]);
		if (inquest->looker > 0)
			return true;
		inquest->looker = 0;
		dismiss_looker(inquest);
		errno = error;
		return false;
	}
	error = errno;
	if (inquest->watch.fd >= 0)
		close(inquest->watch.fd);
	inquest->watch.fd = -1;
	close(ends[1]);
	errno = error;
	return false;
}

/* One has seen all that he could; the next one's turn. */
static void go_on(struct inquest *inquest)
{
	bool again = inquest->stage == STAGE_WITNESS &&
		     inquest->worker->generation->plan.tracer != NULL;

	dismiss_looker(inquest);
	if (again && send_looker(inquest, STAGE_COMMAND))
		return;
	if (again)
		log_warn(
		    "%s: cannot run trace_command: %s", inquest->worker->name, strerror(errno));
	finish(inquest, false);
}

/* Takes what is there.  Who says more than can be kept need not go on. */
static void hear(struct watch *watch, uint32_t events)
{
	struct inquest *inquest = watch->owner;
	struct buffer *text = &inquest->text[inquest->stage];
	char bytes[4096];
	ssize_t got = read(watch->fd, bytes, sizeof(bytes));

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		buffer_add(text, bytes, (size_t)got);
	if (text->length > TEXT_MOST)
		inquest->trace.cut = true;
	if (got <= 0 || text->length > TEXT_MOST)
		go_on(inquest);
}

/* --- the places ------------------------------------------------------------------------------- */

struct inquests *inquests_open(struct arena *arena, struct spawner *spawner)
{
	struct inquests *inquests = arena_alloc(arena, sizeof(*inquests));

	inquests->spawner = spawner;
	for (size_t i = 0; i < PLACES; i++) {
		inquests->place[i].all = inquests;
		inquests->place[i].watch.fd = -1;
	}
	return inquests;
}

void inquests_close(struct inquests **inquests)
{
	for (size_t i = 0; *inquests != NULL && i < PLACES; i++) {
		struct inquest *inquest = &(*inquests)->place[i];

		if (inquest->worker != NULL)
			dismiss_looker(inquest);
		if (inquest->arena != NULL)
			arena_free(&inquest->arena);
	}
	*inquests = NULL;
}

/* One that was never taken, or that of the inquest that ended first; NULL: all are under way. */
static struct inquest *make_place(struct inquests *inquests)
{
	struct inquest *oldest = NULL;

	for (size_t i = 0; i < PLACES; i++) {
		struct inquest *inquest = &inquests->place[i];

		if (inquest->worker == NULL && (oldest == NULL || inquest->number < oldest->number))
			oldest = inquest;
	}
	return oldest;
}

static void take_place(
    struct inquest *inquest, struct worker *worker, const struct inquest_wish *wish)
{
	const char *pool = worker->generation->pool->name;

	if (inquest->arena == NULL)
		inquest->arena = arena_new(4096);
	arena_reset(inquest->arena);
	inquest->worker = worker;
	inquest->began = clock_now();
	inquest->until = wish->until;
	inquest->doomed = wish->reason != INQUEST_SLOW_REQUEST && wish->reason != INQUEST_ASKED;
	for (size_t i = 0; i < STAGES; i++)
		buffer_start(&inquest->text[i], inquest->arena, 4096);
	inquest->trace = (struct trace){
		.pool = arena_copy(inquest->arena, pool, strlen(pool)),
		.slot = (long long)worker->slot,
		.pid = worker->pid,
		.generation = worker->generation->number,
		.reason = reason_names[wish->reason],
		.request = arena_copy(inquest->arena, wish->request, strlen(wish->request)),
	};
}

unsigned long long inquest_begin(struct inquests *inquests, struct worker *worker,
    const struct inquest_wish *wish, const char **wrong)
{
	struct inquest *inquest = worker->inquest;

	if (inquest != NULL)
		return inquest->number;
	inquest = make_place(inquests);
	*wrong = "so many processes are being looked at that there is nobody for one more";
	if (inquest == NULL)
		return 0;
	take_place(inquest, worker, wish);
	if (!send_looker(inquest, STAGE_WITNESS)) {
		*wrong = strerror(errno);
		inquest->worker = NULL;
		inquest->number = 0;
		return 0;
	}
	worker->inquest = inquest;
	inquest->number = ++inquests->newest;
	return inquest->number;
}

void inquest_end(struct worker *worker)
{
	if (worker->inquest != NULL)
		finish(worker->inquest, true);
}

int64_t inquests_tick(struct inquests *inquests, int64_t now)
{
	int64_t next = LOOP_FOREVER;

	for (size_t i = 0; i < PLACES; i++) {
		struct inquest *inquest = &inquests->place[i];

		if (inquest->worker == NULL)
			continue;
		if (now >= inquest->until)
			finish(inquest, true);
		else if (inquest->until < next)
			next = inquest->until;
	}
	return next;
}

bool inquests_are_under_way(const struct inquests *inquests)
{
	for (size_t i = 0; i < PLACES; i++)
		if (inquests->place[i].worker != NULL)
			return true;
	return false;
}

bool inquests_has_died(struct inquests *inquests, pid_t pid)
{
	for (size_t i = 0; i < PLACES; i++)
		if (inquests->place[i].worker != NULL && inquests->place[i].looker == pid) {
			inquests->place[i].looker = 0; /* its pipe tells the rest */
			return true;
		}
	return false;
}

enum inquest_state inquests_find(
    const struct inquests *inquests, unsigned long long number, struct trace *found)
{
	for (size_t i = 0; i < PLACES; i++) {
		const struct inquest *inquest = &inquests->place[i];

		if (inquest->number != number)
			continue;
		if (inquest->worker != NULL)
			return INQUEST_UNDER_WAY;
		*found = inquest->trace;
		return INQUEST_ENDED;
	}
	return INQUEST_FORGOTTEN;
}
