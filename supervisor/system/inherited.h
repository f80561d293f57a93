/*
 * inherited.h - sockets that listen already when we start: socket activation.
 *
 * Systemd, or any who starts us, can pass sockets as descriptors from 3 up and
 * say so in LISTEN_FDS and LISTEN_PID: sd_listen_fds(3).  A pool that is to
 * listen at the address of one gets it.
 */
#ifndef SUPERVISOR_SYSTEM_INHERITED_H
#define SUPERVISOR_SYSTEM_INHERITED_H

#include "base/arena.h"
#include "supervisor/system/listener.h"

struct inherited;

/* For who keeps them and hands them over: upgrade/estate.c.  Room for COUNT, there are none yet. */
struct inherited *inherited_make(struct arena *, size_t count);
void inherited_add(struct inherited *, struct listener *);
size_t inherited_count(const struct inherited *);
struct listener *inherited_at(const struct inherited *, size_t index);

/* Takes them over, and the variables out of the environment.  Never NULL. */
struct inherited *inherited_take(struct arena *);
void inherited_close(struct inherited **);

/* The one at this address, or NULL. */
struct listener *inherited_find(const struct inherited *, const struct address *);

/* Closes those that no pool has, for clients would wait there for ever. */
void inherited_close_unused(struct inherited *);

#endif
