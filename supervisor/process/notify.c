/* notify.c - hears what workers say of themselves: the sd_notify(3) protocol. */
#include "supervisor/process/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/upgrade/state.h"

#define MESSAGE_ROOM 4096
#define AT_ONCE      64 /* so that a worker that never stops talking holds up nobody */

struct notify {
	struct watch watch;
	struct loop *loop;
	struct pools *pools;
	char name[64];
};

/*
 * The worker that sent a message: the process itself, or one of its session,
 * for a worker leads the session it was started in.  A sender that has already
 * ended cannot be told.
 */
static struct worker *speaker(const struct notify *notify, pid_t sender)
{
	struct worker *worker = pools_find_worker(notify->pools, sender);

	return worker != NULL ? worker : pools_find_worker(notify->pools, getsid(sender));
}

/* Only what it was asked to say counts: a READY=1 may come from a library, long before. */
static void hear_ready(struct worker *worker)
{
	if (worker->generation->plan.ready.kind == READY_NOTIFY)
		worker->seems_ready = true;
}

/* It leaves of its own accord; from now on it has stop_timeout, like one that was asked. */
static void hear_stopping(struct worker *worker)
{
	if (worker->state == WORKER_READY)
		worker_becomes(worker, WORKER_STOPPING, clock_now());
}

static void hear_line(struct worker *worker, const char *line)
{
	if (strcmp(line, "READY=1") == 0)
		hear_ready(worker);
	else if (strcmp(line, "STOPPING=1") == 0)
		hear_stopping(worker);
	else if (text_starts(line, "STATUS="))
		snprintf(worker->said, sizeof(worker->said), "%s", line + strlen("STATUS="));
}

static void hear(struct notify *notify, char *text, pid_t sender)
{
	struct worker *worker = speaker(notify, sender);
	char *rest = text;

	if (worker == NULL) {
		log_debug("process %d is no worker: its notification is ignored", (int)sender);
		return;
	}
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		hear_line(worker, line);
}

/* Descriptors that came with a message, which we never asked for, would stay open. */
static void close_strays(const struct cmsghdr *control)
{
	size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	const unsigned char *data = CMSG_DATA(control);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		close(fd);
	}
}

static pid_t sender_of(struct msghdr *message)
{
	struct ucred sender = { .pid = 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
		else if (c->cmsg_type == SCM_RIGHTS)
			close_strays(c);
	}
	return sender.pid;
}

/* False: there is nothing more to hear. */
static bool receive(struct notify *notify)
{
	char text[MESSAGE_ROOM + 1];
	union {
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(64 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { text, MESSAGE_ROOM };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(notify->watch.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	pid_t sender;

	if (got < 0)
		return errno == EINTR;
	sender = sender_of(&message);
	text[got] = '\0';
	if (sender > 0)
		hear(notify, text, sender);
	return true;
}

static void something_arrives(struct watch *watch, uint32_t events)
{
	(void)events;
	for (int i = 0; i < AT_ONCE; i++)
		if (!receive(watch->owner))
			return;
}

static bool learn_name(struct notify *notify)
{
	struct sockaddr_un name;
	socklen_t length = sizeof(name);

	if (getsockname(notify->watch.fd, (struct sockaddr *)&name, &length) < 0 ||
	    name.sun_family != AF_UNIX || length <= offsetof(struct sockaddr_un, sun_path))
		return false;
	snprintf(notify->name, sizeof(notify->name), "@%.*s",
	    (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), name.sun_path + 1);
	return true;
}

/* An address of nothing but its family makes the kernel choose a free abstract name. */
static bool bind_anywhere(struct notify *notify)
{
	static const int on = 1;
	static const struct sockaddr_un name = { .sun_family = AF_UNIX };

	notify->watch.fd = descriptor_raise(
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (notify->watch.fd < 0 ||
	    setsockopt(notify->watch.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(notify->watch.fd, (const struct sockaddr *)&name, sizeof(name.sun_family)) < 0)
		return false;
	return learn_name(notify);
}

static struct notify *make(struct arena *arena, struct loop *loop, struct pools *pools)
{
	struct notify *notify = arena_alloc(arena, sizeof(*notify));

	*notify = (struct notify){ .loop = loop, .pools = pools };
	notify->watch = (struct watch){ .fd = -1, .act = something_arrives, .owner = notify };
	return notify;
}

struct notify *notify_open(struct arena *arena, struct loop *loop, struct pools *pools)
{
	struct notify *notify = make(arena, loop, pools);

	if (bind_anywhere(notify) && loop_add(loop, &notify->watch, EPOLLIN))
		return notify;
	if (notify->watch.fd >= 0)
		close(notify->watch.fd);
	return NULL;
}

void notify_close(struct notify **notify)
{
	if (*notify == NULL)
		return;
	loop_drop((*notify)->loop, &(*notify)->watch);
	close((*notify)->watch.fd);
	*notify = NULL;
}

const char *notify_name(const struct notify *notify)
{
	return notify->name;
}

void notify_hand_over(struct state *state, const struct notify *notify)
{
	state_part(state, "notify");
	state_descriptor(state, "socket", notify->watch.fd);
}

struct notify *notify_take_over(
    struct state *state, struct arena *arena, struct loop *loop, struct pools *pools)
{
	struct notify *notify = make(arena, loop, pools);

	state_part(state, "notify");
	notify->watch.fd = state_descriptor(state, "socket", -1);
	if (state_wrong(state) == NULL &&
	    (!learn_name(notify) || !loop_add(loop, &notify->watch, EPOLLIN)))
		state_fail(state, "workers cannot be heard: %s", strerror(errno));
	return state_wrong(state) == NULL ? notify : NULL;
}
