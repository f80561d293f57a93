/* inherited.c - sockets that listen already when we start: socket activation. */
#include "supervisor/system/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/system/descriptor.h"

#define FIRST     3 /* SD_LISTEN_FDS_START */
#define FDS_MOST  256
#define NAME_ROOM 160

struct inherited {
	struct listener **listener;
	size_t count;
};

/* How many were passed to us, and not to whoever started us without telling. */
static size_t count_passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	long long number, fds;

	if (pid == NULL || count == NULL || !text_to_integer(pid, &number) || number != getpid() ||
	    !text_to_integer(count, &fds) || fds < 0)
		return 0;
	return (size_t)(fds < FDS_MOST ? fds : FDS_MOST);
}

static const char *name_of_tcp(struct arena *arena, const struct address *address)
{
	bool six = address->socket.ss_family == AF_INET6;
	char host[NAME_ROOM], port[32];

	if (getnameinfo((const struct sockaddr *)&address->socket, address->length, host,
		sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return "tcp:?";
	return arena_print(arena, six ? "tcp:[%s]:%s" : "tcp:%s:%s", host, port);
}

/* An address as one of the configuration looks like.  False: a kind that we do not know. */
static bool find_address(struct arena *arena, int fd, struct address *address)
{
	const struct sockaddr_un *place = (const struct sockaddr_un *)&address->socket;

	*address = (struct address){ .length = sizeof(address->socket) };
	if (getsockname(fd, (struct sockaddr *)&address->socket, &address->length) < 0)
		return false;
	if (address->socket.ss_family == AF_INET || address->socket.ss_family == AF_INET6) {
		address->text = name_of_tcp(arena, address);
		return true;
	}
	if (address->socket.ss_family != AF_UNIX || place->sun_path[0] != '/')
		return false;
	address_of_path(
	    arena_copy(arena, place->sun_path, strnlen(place->sun_path, ADDRESS_PATH_MAX)),
	    address);
	return true;
}

static struct listener *adopt(struct arena *arena, int low)
{
	int fd = descriptor_raise(low);
	struct address address;
	int flags;

	if (fd < 0)
		return NULL;
	if (!descriptor_listens(fd) || !find_address(arena, fd, &address)) {
		log_warn("inherited descriptor %d is no socket that listens: closed", low);
		close(fd);
		return NULL;
	}
	/* Systemd sets what its NonBlocking= says; with it most FastCGI programs end at once. */
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		log_warn("%s: cannot be made blocking: %s", address.text, strerror(errno));
	return listener_adopt(fd, &address);
}

struct inherited *inherited_make(struct arena *arena, size_t count)
{
	struct inherited *inherited = arena_alloc(arena, sizeof(*inherited));

	inherited->listener = arena_alloc(arena, (count + 1) * sizeof(struct listener *));
	return inherited;
}

void inherited_add(struct inherited *inherited, struct listener *listener)
{
	inherited->listener[inherited->count++] = listener;
}

size_t inherited_count(const struct inherited *inherited)
{
	return inherited->count;
}

struct listener *inherited_at(const struct inherited *inherited, size_t index)
{
	return inherited->listener[index];
}

struct inherited *inherited_take(struct arena *arena)
{
	size_t count = count_passed();
	struct inherited *inherited = inherited_make(arena, count);

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (size_t i = 0; i < count; i++) {
		struct listener *listener = adopt(arena, FIRST + (int)i);

		if (listener != NULL)
			inherited_add(inherited, listener);
	}
	return inherited;
}

void inherited_close(struct inherited **inherited)
{
	if (*inherited == NULL)
		return;
	for (size_t i = 0; i < (*inherited)->count; i++)
		listener_close(&(*inherited)->listener[i]);
	*inherited = NULL;
}

struct listener *inherited_find(const struct inherited *inherited, const struct address *address)
{
	for (size_t i = 0; inherited != NULL && i < inherited->count; i++)
		if (address_same(listener_address(inherited->listener[i]), address))
			return inherited->listener[i];
	return NULL;
}

void inherited_close_unused(struct inherited *inherited)
{
	size_t kept = 0;

	for (size_t i = 0; i < inherited->count; i++) {
		struct listener *listener = inherited->listener[i];

		if (listener_is_shared(listener)) {
			inherited->listener[kept++] = listener;
			continue;
		}
		log_warn("%s was inherited, but no pool listens there: closed",
		    listener_address(listener)->text);
		listener_close(&listener);
	}
	inherited->count = kept;
}
