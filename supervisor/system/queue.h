/* queue.h - how many connections wait to be accepted: read from the kernel. */
#ifndef SUPERVISOR_SYSTEM_QUEUE_H
#define SUPERVISOR_SYSTEM_QUEUE_H

#include <stdbool.h>

#include "base/attributes.h"

struct queue {
	long long waiting; /* now */
	long long limit;   /* the most that can, as the kernel has clamped it */
};

/* Of the listening socket FD, unix or TCP.  False with errno set: it is not told. */
bool queue_read(int fd, struct queue *) MUST_CHECK;

#endif
