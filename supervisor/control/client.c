/*
 * client.c - one who asks over the control socket.
 *
 * It is listened to until its line is whole, then its answer is sent, then it is
 * dismissed; unless the answer goes on (verbs.h): then it is asked for again
 * whenever something may have happened.  Each step takes what the socket has at
 * that moment and no more.
 */
#include "supervisor/control/client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/upgrade/state.h"

#define REQUEST_PATIENCE (2 * SECOND_US)
#define ANSWER_PATIENCE  (5 * SECOND_US)

void client_dismiss(struct client *client)
{
	if (client->watch.fd < 0)
		return;
	loop_drop(client->loop, &client->watch);
	/* While a next ostlerd is tried it has the descriptor, too: closing alone would tell
	 * nobody. */
	shutdown(client->watch.fd, SHUT_RDWR);
	close(client->watch.fd);
	free(client->answer);
	client->answer = NULL;
	client->watch.fd = -1;
}

/* The answer, or a piece of it, is sent: dismissed, unless there is more to come. */
static void rest(struct client *client)
{
	if (!client->talk.goes_on) {
		client_dismiss(client);
		return;
	}
	free(client->answer);
	client->answer = NULL;
	client->deadline = LOOP_FOREVER;
	loop_change(client->loop, &client->watch, EPOLLIN); /* to hear it leave */
}

static void send_more(struct client *client)
{
	ssize_t sent = send(client->watch.fd, client->answer + client->sent,
	    client->length - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		client_dismiss(client);
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
	loop_change(client->loop, &client->watch, EPOLLOUT);
	send_more(client);
}

static char *begin(struct client *client, size_t length)
{
	char *text;

	client->talking = true;
	client->talk = (struct conversation){ .pools = client->pools };
	if (!client->may_ask)
		return wire_error("only root and the user of ostlerd may ask");
	if (!wire_read_request(client->request, length, &client->talk.request))
		return wire_error("not a request: a line like {\"verb\":\"status\"} is expected");
	text = verbs_answer(&client->talk);
	if (!client->talk.goes_on || control_has_room(client->control))
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
		client_dismiss(client);
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

/* The socket's permissions keep others out already; this holds even if they were changed. */
static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

void client_begin(struct client *client, int fd)
{
	client->watch = (struct watch){ .fd = fd, .act = client_acts, .owner = client };
	client->may_ask = may_ask(fd);
	client->since = clock_now();
	client->deadline = client->since + REQUEST_PATIENCE;
	client->received = 0;
	client->talking = false;
	client->talk.goes_on = false;
	client->answer = NULL;
	if (loop_add(client->loop, &client->watch, EPOLLIN))
		return;
	close(fd);
	client->watch.fd = -1;
}

bool client_goes_on(struct client *client)
{
	char *text;

	if (client->watch.fd < 0 || !client->talk.goes_on || client->answer != NULL)
		return false;
	text = verbs_answer(&client->talk);
	reply(client, text);
	return text != NULL;
}

/* --- from one master to the next -------------------------------------------------------------- */

#define ANSWER_MOST (64 << 20)

static const struct state_field fields[] = {
	{ STATE_FIELD(struct client, may_ask) },
	{ STATE_FIELD(struct client, since) },
	{ STATE_FIELD(struct client, deadline) },
	{ STATE_FIELD(struct client, talking) },
	{ STATE_FIELD(struct client, talk.request.verb) },
	{ STATE_FIELD(struct client, talk.request.pool) },
	{ STATE_FIELD(struct client, talk.request.until) },
	{ STATE_FIELD(struct client, talk.request.number) },
	{ STATE_FIELD(struct client, talk.request.follow) },
	{ STATE_FIELD(struct client, talk.position) },
	{ STATE_FIELD(struct client, talk.goes_on) },
	{ 0 },
};

/* What has not been sent yet. */
static void pass_answer(struct state *state, struct client *client)
{
	size_t length = client->answer != NULL ? client->length - client->sent : 0;

	length = state_count(state, "unsent", length, ANSWER_MOST);
	if (!state_is_read(state)) {
		if (length > 0)
			state_bytes(
			    state, "answer", client->answer + client->sent, &length, length);
		return;
	}
	client->answer = NULL;
	if (length == 0 || state_wrong(state) != NULL)
		return;
	client->answer = calloc(1, length + 1);
	if (client->answer == NULL)
		die("out of memory for an answer");
	client->sent = 0;
	state_bytes(state, "answer", client->answer, &client->length, length);
}

void client_pass(struct state *state, struct client *client)
{
	int fd = state_descriptor(state, "client", client->watch.fd);

	state_fields(state, fields, client);
	state_bytes(state, "request", client->request, &client->received, sizeof(client->request));
	pass_answer(state, client);
	if (!state_is_read(state))
		return;
	client->talk.pools = client->pools;
	client->watch = (struct watch){ .fd = fd, .act = client_acts, .owner = client };
	if (fd < 0 ||
	    !loop_add(client->loop, &client->watch, client->answer != NULL ? EPOLLOUT : EPOLLIN))
		state_fail(state, "a client of the control socket cannot be heard");
}
