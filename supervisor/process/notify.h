/*
 * notify.h - hears what workers say of themselves: the sd_notify(3) protocol.
 *
 * One datagram socket serves all.  Who speaks is told by the kernel (SCM_CREDENTIALS),
 * never by the message.
 */
#ifndef SUPERVISOR_PROCESS_NOTIFY_H
#define SUPERVISOR_PROCESS_NOTIFY_H

#include "supervisor/pool/pool.h"

struct notify;

/* NULL with errno set. */
struct notify *notify_open(struct arena *, struct loop *, struct pools *) MUST_CHECK;
void notify_close(struct notify **);

/* Hands it over: workers know its name.  NULL: it cannot be taken from a master before us. */
struct state;
void notify_hand_over(struct state *, const struct notify *);
struct notify *notify_take_over(
    struct state *, struct arena *, struct loop *, struct pools *) MUST_CHECK;

/* The value of NOTIFY_SOCKET: '@' and a name in the abstract namespace, unix(7). */
const char *notify_name(const struct notify *);

#endif
