/* canary.c - a request that a new generation must answer before it serves. */
#include "supervisor/process/canary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/record/events.h"
#include "supervisor/system/fastcgi.h"

#define AT_ONCE      16384
#define READS_A_TURN 4 /* of a long answer; then others have their turn */

/* When a connection breaks, its worker has mostly died: what is heard of that tells more. */
#define MOMENT SECOND_US

struct canary {
	struct watch watch; /* fd -1: it is over */
	struct loop *loop;
	struct worker *worker;
	int64_t begun;
	size_t sent;
	char how[64]; /* it failed */
	struct fastcgi_answer answer;
};

static const struct trial_plan *plan_of(const struct canary *canary)
{
	return &canary->worker->generation->plan.trial;
}

/* At once, whatever the answer: many programs wait for the client to close (libfcgi: 2 s). */
static void hang_up(struct canary *canary)
{
	if (canary->watch.fd < 0)
		return;
	loop_drop(canary->loop, &canary->watch);
	close(canary->watch.fd);
	canary->watch.fd = -1;
}

static void fail(struct canary *canary, const char *how, int64_t act_at)
{
	struct trial *trial = &canary->worker->trial;

	trial->state = TRIAL_FAILED;
	trial->next = act_at;
	snprintf(canary->how, sizeof(canary->how), "%s", how);
}

/* It is shown to people, and must not speak to their terminals. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && *text != '\n') || *text == 0x7f)
			*text = ' ';
}

/* The answer is whole. */
static void judge(struct canary *canary)
{
	struct worker *worker = canary->worker;
	int64_t now = clock_now();
	int status = fastcgi_status(&canary->answer);
	char how[sizeof(canary->how)] = "answered nothing";

	if (canary->answer.refused)
		snprintf(how, sizeof(how), "refused to answer");
	else if (status != 0)
		snprintf(how, sizeof(how), "answered %d", status);
	if (canary->answer.refused || status < plan_of(canary)->least ||
	    status > plan_of(canary)->most) {
		make_printable(canary->answer.said);
		fail(canary, how, now);
		return;
	}
	worker->trial.state = TRIAL_PASSED;
	event_worker(EVENT_CANARY, worker, "GET %s: %d after %.1f ms", worker_conf(worker)->canary,
	    status, (double)(now - canary->begun) / 1000);
}

static void receive(struct canary *canary)
{
	char bytes[AT_ONCE];
	int64_t now = clock_now();

	for (int i = 0; i < READS_A_TURN && !canary->answer.ended; i++) {
		ssize_t got = recv(canary->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			hang_up(canary);
			fail(canary, "closed the connection without an answer", now + MOMENT);
			return;
		}
		if (!fastcgi_take(&canary->answer, bytes, (size_t)got)) {
			hang_up(canary);
			fail(canary, "answered what is no FastCGI", now);
			return;
		}
	}
	if (!canary->answer.ended)
		return;
	hang_up(canary);
	judge(canary);
}

static void send_more(struct canary *canary)
{
	const struct trial_plan *plan = plan_of(canary);
	ssize_t sent = send(canary->watch.fd, plan->request + canary->sent,
	    plan->length - canary->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		canary->sent += (size_t)sent;
	if (canary->sent == plan->length)
		loop_change(canary->loop, &canary->watch, EPOLLIN);
	else if (sent < 0 && errno != EAGAIN && errno != EINTR)
		receive(canary); /* it is over, but for what was answered before */
}

static void something_happens(struct watch *watch, uint32_t events)
{
	struct canary *canary = watch->owner;

	if ((events & EPOLLOUT) != 0 && canary->sent < plan_of(canary)->length)
		send_more(canary);
	else
		receive(canary);
}

/* A connection under way, or -1 with errno set. */
static int connect_to(const struct worker *worker)
{
	struct address address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -1;
	address_of_path(listener_path(worker->generation->listener), &address);
	if (connect(fd, (const struct sockaddr *)&address.socket, address.length) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* A full queue, or no descriptor at the moment: there is time until the deadline. */
static bool may_work_later(int error)
{
	return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOMEM;
}

void canary_send(struct loop *loop, struct worker *worker, int64_t now)
{
	struct canary *canary = calloc(1, sizeof(*canary));

	if (canary == NULL)
		die("out of memory for a canary");
	canary_end(worker); /* one that could not be sent */
	worker->trial.canary = canary;
	if (worker->trial.begun == 0)
		worker->trial.begun = now;
	*canary = (struct canary){
		.watch = { .fd = connect_to(worker), .act = something_happens, .owner = canary },
		.loop = loop,
		.worker = worker,
		.begun = now,
	};
	if (canary->watch.fd >= 0 && loop_add(loop, &canary->watch, EPOLLIN | EPOLLOUT))
		worker->trial.state = TRIAL_UNDER_WAY;
	else if (may_work_later(errno))
		worker->trial.next = now + worker_conf(worker)->ready_interval * 1000;
	else
		fail(canary, strerror(errno), now);
}

void canary_describe(const struct worker *worker, char text[static WORKER_CAUSE_ROOM])
{
	const struct canary *canary = worker->trial.canary;
	bool failed = worker->trial.state == TRIAL_FAILED && canary != NULL;

	snprintf(text, WORKER_CAUSE_ROOM, "%s to GET %.80s",
	    failed ? canary->how : "did not answer in time", worker_conf(worker)->canary);
}

const char *canary_said(const struct worker *worker)
{
	return worker->trial.canary != NULL ? worker->trial.canary->answer.said : "";
}

void canary_hear_out(struct worker *worker)
{
	struct canary *canary = worker->trial.canary;
	char bytes[AT_ONCE];
	ssize_t got = 1;

	if (canary == NULL)
		return;
	for (int i = 0; i < READS_A_TURN && got > 0 && canary->watch.fd >= 0; i++) {
		got = recv(canary->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got > 0 && !fastcgi_take(&canary->answer, bytes, (size_t)got))
			break;
	}
	make_printable(canary->answer.said);
}

void canary_end(struct worker *worker)
{
	if (worker->trial.canary == NULL)
		return;
	hang_up(worker->trial.canary);
	free(worker->trial.canary);
	worker->trial.canary = NULL;
}
