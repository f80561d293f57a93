/*
 * control.c - the control socket: answers ostlerctl.
 *
 * A client (client.c) has one of a fixed number of places; when all are taken, one
 * who has waited long enough gives way.
 */
#include "supervisor/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/control/client.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/system/listener.h"
#include "supervisor/upgrade/state.h"

#define CLIENTS        32
#define LISTENERS_MOST 24 /* whose answers go on; the other places are for short questions */
#define ACCEPT_AT_ONCE 16
#define BACKLOG        64

struct control {
	struct arena *arena;
	struct listener *listener;
	struct watch watch;
	struct loop *loop;
	struct pools *pools;
	int spare; /* given up for a moment when descriptors run out: accept(2), EMFILE */
	struct client client[CLIENTS];
};

static size_t count_listeners(const struct control *control)
{
	size_t count = 0;

	for (size_t i = 0; i < CLIENTS; i++)
		count += control->client[i].watch.fd >= 0 && control->client[i].talk.goes_on;
	return count;
}

bool control_has_room(const struct control *control)
{
	return count_listeners(control) <= LISTENERS_MOST;
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
	client_dismiss(oldest);
	return oldest;
}

static void welcome(struct control *control, int fd)
{
	client_begin(make_place(control), fd);
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

static bool start_listening(struct control *control)
{
	int fd = listener_fd(control->listener);

	/* Ours alone, so it need not block, unlike a worker's. */
	control->watch = (struct watch){ .fd = fd, .act = someone_calls, .owner = control };
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
	       loop_add(control->loop, &control->watch, EPOLLIN);
}

static struct control *make(struct arena *arena, struct loop *loop, struct pools *pools)
{
	struct control *control = arena_alloc(arena, sizeof(*control));

	control->arena = arena;
	control->loop = loop;
	control->pools = pools;
	control->spare = descriptor_raise(open("/dev/null", O_RDONLY | O_CLOEXEC));
	for (size_t i = 0; i < CLIENTS; i++)
		control->client[i] = (struct client){
			.watch.fd = -1, .control = control, .loop = loop, .pools = pools
		};
	return control;
}

struct control *control_open(struct arena *arena, const char *path, struct loop *loop,
    struct pools *pools, const char **wrong)
{
	struct control *control = make(arena, loop, pools);
	struct listener_rights rights = { .uid = geteuid(), .gid = getegid(), .mode = 0600 };
	struct address address;
	struct listener_wish wish = { .address = &address, .rights = &rights, .backlog = BACKLOG };

	address_of_path(path, &address);
	control->listener = listener_open(arena, &wish, wrong);
	if (control->listener != NULL && listener_publish(arena, control->listener, wrong)) {
		if (start_listening(control))
			return control;
		*wrong = "the control socket cannot be watched";
	}
	control_close(&control);
	return NULL;
}

void control_close(struct control **control)
{
	struct control *c = *control;

	if (c == NULL)
		return;
	for (size_t i = 0; i < CLIENTS; i++)
		client_dismiss(&c->client[i]);
	if (c->listener != NULL)
		loop_drop(c->loop, &c->watch);
	listener_close(&c->listener);
	close(c->spare);
	*control = NULL;
}

int64_t control_tick(struct control *control, int64_t now)
{
	int64_t next = LOOP_FOREVER;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *client = &control->client[i];

		if (client_goes_on(client))
			next = now;
		if (client->watch.fd < 0)
			continue;
		if (client->deadline <= now)
			client_dismiss(client);
		else if (client->deadline < next)
			next = client->deadline;
	}
	return next;
}

void control_hand_over(struct state *state, const struct control *control)
{
	struct listener *listener = control->listener;
	size_t count = 0;

	state_part(state, "control");
	listener_pass(state, &listener, 0);
	for (size_t i = 0; i < CLIENTS; i++)
		count += control->client[i].watch.fd >= 0;
	state_count(state, "clients", count, CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client client = control->client[i];

		if (client.watch.fd >= 0)
			client_pass(state, &client);
	}
}

struct control *control_take_over(
    struct state *state, struct arena *arena, struct loop *loop, struct pools *pools)
{
	struct control *control = make(arena, loop, pools);
	size_t count;

	state_part(state, "control");
	listener_pass(state, &control->listener, 0);
	if (state_wrong(state) != NULL)
		return NULL;
	listener_hold(control->listener);
	if (!start_listening(control))
		state_fail(state, "the control socket cannot be watched: %s", strerror(errno));
	count = state_count(state, "clients", 0, CLIENTS);
	for (size_t i = 0; i < count && state_wrong(state) == NULL; i++)
		client_pass(state, &control->client[i]);
	return control;
}
