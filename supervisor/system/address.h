/* address.h - "unix:PATH" and "tcp:HOST:PORT" as socket addresses. */
#ifndef SUPERVISOR_SYSTEM_ADDRESS_H
#define SUPERVISOR_SYSTEM_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/attributes.h"

/* unix(7): sun_path holds 108 bytes, one of them the final NUL. */
#define ADDRESS_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

struct address {
	struct sockaddr_storage socket;
	socklen_t length;
	const char *path; /* of a unix socket; NULL: TCP.  Points into the text parsed. */
	const char *text; /* as written */
};

/*
 * Reads TEXT, which must outlive the address.  HOST is numeric: 127.0.0.1,
 * [::1]; the master never waits for a name server.  Returns NULL, or what is
 * wrong as a sentence without a subject.
 */
const char *address_parse(const char *text, struct address *) MUST_CHECK;

/* Makes the address of the unix socket at PATH, at most ADDRESS_PATH_MAX bytes long. */
void address_of_path(const char *path, struct address *);

/* Hands it over, or takes it from a master before us, its texts in the arena: upgrade/state.h. */
struct arena;
struct state;
void address_pass(struct state *, struct arena *, struct address *);

/* Whether two listeners could not have both of them. */
bool address_same(const struct address *, const struct address *);

#endif
