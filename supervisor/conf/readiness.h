/* readiness.h - how a worker is known to be ready, and a look whether it is. */
#ifndef SUPERVISOR_CONF_READINESS_H
#define SUPERVISOR_CONF_READINESS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/settings.h"
#include "supervisor/system/address.h"

enum readiness_kind {
	READY_ONCE_STARTED, /* nothing more is known than that exec(2) succeeded */
	READY_NOTIFY,       /* it says READY=1 */
	READY_EXEC,         /* a command ends with 0 */
	READY_LISTEN,       /* somebody accepts connections at an address */
	READY_ACCEPT,       /* it is seen waiting in accept(2) on descriptor 0 */
};

struct readiness {
	enum readiness_kind kind;
	struct words command;   /* READY_EXEC */
	struct address address; /* READY_LISTEN */
};

/* Reads the setting `ready`.  Returns NULL, or what is wrong, as a sentence without a subject. */
const char *readiness_parse(struct arena *, const char *text, struct readiness *) MUST_CHECK;

/* NO: not yet.  UNKNOWN: it cannot be seen here at all. */
enum look { LOOK_NO, LOOK_YES, LOOK_UNKNOWN };

/*
 * Whether somebody accepts connections at the address.  *FD, -1 at first, keeps
 * a TCP connection that is under way from one look to the next; it is closed
 * and -1 again whenever the answer is final.
 */
enum look readiness_somebody_listens(const struct address *, int *fd);

/* Whether any thread of PID waits in accept on descriptor 0: proc(5), /proc/PID/syscall. */
enum look readiness_waits_in_accept(pid_t pid);

#endif
