/* address.c - "unix:PATH" and "tcp:HOST:PORT" as socket addresses. */
#include "supervisor/system/address.h"

#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/upgrade/state.h"

void address_of_path(const char *path, struct address *address)
{
	struct sockaddr_un *place = (struct sockaddr_un *)&address->socket;
	size_t length = strlen(path);

	if (length > ADDRESS_PATH_MAX)
		bug("a socket path of %zu bytes was let through", length);
	*address = (struct address){ .path = path, .text = path };
	place->sun_family = AF_UNIX;
	memcpy(place->sun_path, path, length + 1);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static const char *parse_unix(const char *path, struct address *address)
{
	size_t length = strlen(path);

	if (path[0] != '/')
		return "needs an absolute path after \"unix:\"";
	if (path[length - 1] == '/')
		return "must name a file, not a folder";
	if (length > ADDRESS_PATH_MAX)
		return "has a path of more than 107 bytes, the most a unix socket can have";
	address_of_path(path, address);
	return NULL;
}

/* Splits HOST:PORT or [HOST]:PORT at its last colon.  False: it is neither. */
static bool split(const char *text, char host[static 64], const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;

	if (length == 0 || colon[1] == '\0')
		return false;
	*port = colon + 1;
	if (text[0] == '[') { /* as in a URI: RFC 3986, section 3.2.2 */
		if (text[length - 1] != ']')
			return false;
		text++;
		length -= 2;
	} else if (memchr(text, ':', length) != NULL) {
		return false;
	}
	if (length == 0 || length >= 64)
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return true;
}

static const char *parse_tcp(const char *text, struct address *address)
{
	struct addrinfo wanted = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char host[64];
	const char *port;
	long long number;

	if (!split(text, host, &port))
		return "needs \"tcp:HOST:PORT\"; an IPv6 host stands in brackets: "
		       "\"tcp:[::1]:9000\"";
	if (!text_to_integer(port, &number) || number < 1 || number > 65535)
		return "needs a port from 1 to 65535";
	if (getaddrinfo(host, port, &wanted, &found) != 0)
		return "needs a numeric host, as 127.0.0.1 or [::1]";
	memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
	address->length = found->ai_addrlen;
	freeaddrinfo(found);
	return NULL;
}

const char *address_parse(const char *text, struct address *address)
{
	const char *wrong = "must begin with \"unix:\" or \"tcp:\"";

	*address = (struct address){ 0 };
	if (text_starts(text, "unix:"))
		wrong = parse_unix(text + strlen("unix:"), address);
	else if (text_starts(text, "tcp:"))
		wrong = parse_tcp(text + strlen("tcp:"), address);
	address->text = text;
	return wrong;
}

bool address_same(const struct address *a, const struct address *b)
{
	return a->length == b->length && memcmp(&a->socket, &b->socket, a->length) == 0;
}

void address_pass(struct state *state, struct arena *arena, struct address *address)
{
	size_t length = address->length;

	address->text = state_text(state, arena, "address", address->text);
	address->path = state_text(state, arena, "path", address->path);
	state_bytes(state, "name", &address->socket, &length, sizeof(address->socket));
	address->length = (socklen_t)length;
	if (address->text == NULL ||
	    (address->path != NULL && strlen(address->path) > ADDRESS_PATH_MAX))
		state_fail(state, "a listener has no address");
}
