/*
 * control.c - the control socket: answers ostlerctl.
 *
 * A client has one of a fixed number of places: it is listened to until its
 * line is whole, then its answer is sent, then it is dismissed; unless the
 * answer goes on (verbs.h): then it is asked for again whenever something may
 * have happened.  Each step takes what the socket has at that moment and no more.
 */
#include "supervisor/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control/verbs.h"
#include "supervisor/control/wire.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/system/listener.h"

#define CLIENTS          32
#define LISTENERS_MOST   24 /* whose answers go on; the other places are for short questions */
#define ACCEPT_AT_ONCE   16
#define BACKLOG          64
#define REQUEST_PATIENCE (2 * SECOND_US)
#define ANSWER_PATIENCE  (5 * SECOND_US)

struct client {
	struct watch watch; /* fd -1: the place is free */
	struct control *control;
	bool may_ask;
	int64_t since, deadline;
	char request[WIRE_REQUEST_MOST];
	size_t received;
	bool talking; /* the request was whole */
	struct conversation talk;
	char *answer; /* what is being sent; NULL: nothing now */
	size_t length, sent;
};

struct control {
	struct arena *arena;
	struct listener *listener;
	struct watch watch;
	struct loop *loop;
	struct pools *pools;
	int spare; /* given up for a moment when descriptors run out: accept(2), EMFILE */
	struct client client[CLIENTS];
};

static void dismiss(struct client *client)
{
	if (client->watch.fd < 0)
		return;
	loop_drop(client->control->loop, &client->watch);
	close(client->watch.fd);
	free(client->answer);
	client->answer = NULL;
	client->watch.fd = -1;
}

/* The answer, or a piece of it, is sent: dismissed, unless there is more to come. */
static void rest(struct client *client)
{
	if (!client->talk.goes_on) {
		dismiss(client);
		return;
	}
	free(client->answer);
	client->answer = NULL;
	client->deadline = LOOP_FOREVER;
	loop_change(client->control->loop, &client->watch, EPOLLIN); /* to hear it leave */
}

static void send_more(struct client *client)
{
	ssize_t sent = send(client->watch.fd, client->answer + client->sent,
	    client->length - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		dismiss(client);
		return;
	}
	client->sent += sent > 0 ? (size_t)sent : 0;
	if (client->sent == client->length)
		rest(client);
}

static void reply(struct client *client, char *text)
{
	if (text == NULL) {
		rest(client);
		return;
	}
	client->answer = text;
	client->length = strlen(text);
	client->sent = 0;
	client->deadline = clock_now() + ANSWER_PATIENCE;
	loop_change(client->control->loop, &client->watch, EPOLLOUT);
	send_more(client);
}

static size_t count_listeners(const struct control *control)
{
	size_t count = 0;

	for (size_t i = 0; i < CLIENTS; i++)
		count += control->client[i].watch.fd >= 0 && control->client[i].talk.goes_on;
	return count;
}

static char *begin(struct client *client, size_t length)
{
	char *text;

	client->talking = true;
	client->talk = (struct conversation){ .pools = client->control->pools };
	if (!client->may_ask)
		return wire_error("only root and the user of ostlerd may ask");
	if (!wire_read_request(client->request, length, &client->talk.request))
		return wire_error("not a request: a line like {\"verb\":\"status\"} is expected");
	text = verbs_answer(&client->talk);
	if (!client->talk.goes_on || count_listeners(client->control) <= LISTENERS_MOST)
		return text;
	free(text);
	client->talk.goes_on = false;
	return wire_error("too many are listening already");
}

static void receive_more(struct client *client)
{
	ssize_t got = recv(client->watch.fd, client->request + client->received,
	    sizeof(client->request) - client->received, MSG_DONTWAIT);
	const char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		dismiss(client);
		return;
	}
	if (client->talking) { /* it has nothing more to say; what it says is dropped */
		client->received = 0;
		return;
	}
	client->received += (size_t)got;
	end = memchr(client->request, '\n', client->received);
	if (end != NULL)
		reply(client, begin(client, (size_t)(end - client->request)));
	else if (client->received == sizeof(client->request))
		reply(client, wire_error("the request is too long"));
}

static void client_acts(struct watch *watch, uint32_t events)
{
	struct client *client = watch->owner;

	(void)events; /* errors and hang-ups come out of recv and send */
	if (client->answer != NULL)
		send_more(client);
	else
		receive_more(client);
}

/* Who has not yet asked anything gives way first, and who follows never does. */
static bool gives_way(const struct client *client, const struct client *before)
{
	if (client->talk.goes_on)
		return false;
	if (before == NULL || client->talking != before->talking)
		return before == NULL || !client->talking;
	return client->since < before->since;
}

/* A free place, if need be that of the client who has been there longest. */
static struct client *make_place(struct control *control)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *client = &control->client[i];

		if (client->watch.fd < 0)
			return client;
		if (gives_way(client, oldest))
			oldest = client;
	}
	if (oldest == NULL)
		bug("all %d clients are listening, though %d may", CLIENTS, LISTENERS_MOST);
	dismiss(oldest);
	return oldest;
}

/* The socket's permissions keep others out already; this holds even if they were changed. */
static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void welcome(struct control *control, int fd)
{
	struct client *client = make_place(control);

	client->watch = (struct watch){ .fd = fd, .act = client_acts, .owner = client };
	client->control = control;
	client->may_ask = may_ask(fd);
	client->since = clock_now();
	client->deadline = client->since + REQUEST_PATIENCE;
	client->received = 0;
	client->talking = false;
	client->talk.goes_on = false;
	client->answer = NULL;
	if (!loop_add(control->loop, &client->watch, EPOLLIN)) {
		close(fd);
		client->watch.fd = -1;
		return;
	}
}

/* Out of descriptors: without this the waiting client would wake us for ever. */
static void turn_one_away(struct control *control)
{
	int fd;

	close(control->spare);
	fd = accept4(control->watch.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	control->spare = descriptor_raise(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void someone_calls(struct watch *watch, uint32_t events)
{
	struct control *control = watch->owner;

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			welcome(control, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE)
			turn_one_away(control);
		return;
	}
}

static bool start_listening(struct control *control, const char **wrong)
{
	int fd = listener_fd(control->listener);

	/* Ours alone, so it need not block, unlike a worker's. */
	control->watch = (struct watch){ .fd = fd, .act = someone_calls, .owner = control };
	if (!listener_publish(control->arena, control->listener, wrong))
		return false;
	*wrong = "the control socket cannot be watched";
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
	       loop_add(control->loop, &control->watch, EPOLLIN);
}

struct control *control_open(struct arena *arena, const char *path, struct loop *loop,
    struct pools *pools, const char **wrong)
{
	struct control *control = arena_alloc(arena, sizeof(*control));
	struct listener_rights rights = { .uid = geteuid(), .gid = getegid(), .mode = 0600 };
	struct address address;
	struct listener_wish wish = { .address = &address, .rights = &rights, .backlog = BACKLOG };

	address_of_path(path, &address);
	control->loop = loop;
	control->pools = pools;
	control->spare = descriptor_raise(open("/dev/null", O_RDONLY | O_CLOEXEC));
	for (size_t i = 0; i < CLIENTS; i++)
		control->client[i].watch.fd = -1;
	control->arena = arena;
	control->listener = listener_open(arena, &wish, wrong);
	if (control->listener != NULL && start_listening(control, wrong))
		return control;
	control_close(&control);
	return NULL;
}

void control_close(struct control **control)
{
	struct control *c = *control;

	if (c == NULL)
		return;
	for (size_t i = 0; i < CLIENTS; i++)
		dismiss(&c->client[i]);
	if (c->listener != NULL)
		loop_drop(c->loop, &c->watch);
	listener_close(&c->listener);
	close(c->spare);
	*control = NULL;
}

/* Whether the client was told something, and may be told more. */
static bool go_on(struct client *client)
{
	char *text;

	if (client->watch.fd < 0 || !client->talk.goes_on || client->answer != NULL)
		return false;
	text = verbs_answer(&client->talk);
	reply(client, text);
	return text != NULL;
}

int64_t control_tick(struct control *control, int64_t now)
{
	int64_t next = LOOP_FOREVER;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *client = &control->client[i];

		if (go_on(client))
			next = now;
		if (client->watch.fd < 0)
			continue;
		if (client->deadline <= now)
			dismiss(client);
		else if (client->deadline < next)
			next = client->deadline;
	}
	return next;
}
