/*
 * listener.h - a listening socket and its place in the file system.
 *
 * A unix socket is bound under a temporary name in its own folder, given its
 * owner and permissions, and only then renamed to its public name: there is
 * never a moment without a socket, nor one with wrong permissions, and a next
 * generation takes the name over from this one, each having a queue of its own.
 * TCP has no such names: there, two generations share one socket, as they do
 * with a socket that was inherited from systemd.
 */
#ifndef SUPERVISOR_SYSTEM_LISTENER_H
#define SUPERVISOR_SYSTEM_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "supervisor/system/address.h"

struct listener;

struct listener_rights { /* of a unix socket */
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/*
 * Binds ADDRESS and listens; a unix socket does not have its public name yet.
 * BESIDE is a listener of ours at the same address, or NULL: of a unix socket
 * the name will be taken over from it, a TCP or an inherited one is shared.
 * The socket blocks, is closed on exec, and has a descriptor of at least 10.
 * NULL: *WRONG is a sentence in the arena.
 */
struct listener_wish {
	const struct address *address;
	const struct listener_rights *rights;
	int backlog;
	struct listener *beside;
};
struct listener *listener_open(
    struct arena *, const struct listener_wish *, const char **wrong) MUST_CHECK;

/* Takes over a socket that listens already and is somebody else's: it is never shut nor deleted. */
struct listener *listener_adopt(int fd, const struct address *) MUST_CHECK;

/* Gives a unix socket its public name, in place of a stale one.  False: *WRONG says why. */
bool listener_publish(struct arena *, struct listener *, const char **wrong) MUST_CHECK;

/* Deletes its name, public or not, if it is still ours: nobody new finds the way to this socket. */
void listener_withdraw(struct listener *);

/*
 * Shuts the socket down: accept(2) fails with EINVAL for all who hold it, and
 * what is in the queue is lost.  Not done to one that is shared or inherited.
 */
void listener_shut(struct listener *);

bool listener_is_public(const struct listener *);    /* a client may have found it */
bool listener_is_shared(const struct listener *);    /* with another generation */
bool listener_is_inherited(const struct listener *); /* or shared with who started us */
bool listener_is_shut(const struct listener *);
bool listener_has_waiting(const struct listener *); /* a connection is in its queue */
const struct address *listener_address(const struct listener *);

/* Where a unix socket can be reached now: its temporary name until it is published. */
const char *listener_path(const struct listener *);

int listener_fd(const struct listener *);

/* Lets go of it; the last to do so deletes the public name if it is still ours, and closes it. */
void listener_close(struct listener **);

/*
 * Hands listeners over to the next master, or takes them from the one before:
 * upgrade/state.h.  Each that several have stands in the list once, and has no
 * holder yet when it was read: listener_hold() makes one.
 */
struct state;
struct listener *listener_hold(struct listener *);
bool listener_is_held(const struct listener *);
void listener_pass(struct state *, struct listener **list, size_t index);

/* The kernel's upper limit of a backlog (net.core.somaxconn), or -1: unknown. */
long listener_backlog_limit(void);

#endif
