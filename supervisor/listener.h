/*
 * listener.h - a listening socket and its place in the file system.
 *
 * A unix socket is bound under a temporary name in its own folder, given its
 * owner and permissions, and only then renamed to its public name: there is
 * never a moment without a socket, nor one with wrong permissions, and a next
 * generation can take the name over from this one.
 */
#ifndef SUPERVISOR_LISTENER_H
#define SUPERVISOR_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "supervisor/address.h"

struct listener;

struct listener_rights { /* of a unix socket */
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/*
 * Binds ADDRESS and listens; a unix socket does not have its public name yet.
 * The socket blocks, is closed on exec, and has a descriptor of at least 10.
 * The text of the address must outlive the listener.  NULL: *WRONG is a sentence
 * in the arena.
 */
struct listener *listener_open(struct arena *, const struct address *,
    const struct listener_rights *, int backlog, const char **wrong) MUST_CHECK;

/* Gives a unix socket its public name, in place of a stale one.  False: *WRONG says why. */
bool listener_publish(struct listener *, const char **wrong) MUST_CHECK;

int listener_fd(const struct listener *);

/* Deletes the public name if it is still ours, and closes the socket. */
void listener_close(struct listener **);

/* The kernel's upper limit of a backlog (net.core.somaxconn), or -1: unknown. */
long listener_backlog_limit(void);

#endif
