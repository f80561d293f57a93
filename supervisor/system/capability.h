/*
 * capability.h - the privileges of root, one by one: capabilities(7).
 *
 * A set is a mask with the bit 1 << N for the capability number N, as in
 * /proc/PID/status.
 */
#ifndef SUPERVISOR_SYSTEM_CAPABILITY_H
#define SUPERVISOR_SYSTEM_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

#define CAPABILITY_NAME 64

/* The number of "net_bind_service", "CAP_NET_BIND_SERVICE", or -1. */
int capability_find(const char *name);

/* "net_bind_service", or "63" of one that libcap does not know. */
const char *capability_name(int number, char name[static CAPABILITY_NAME]);

/* All that this kernel has. */
uint64_t capability_all(void);

/*
 * Makes KEPT the most that our process and all that it becomes can ever have:
 * takes the rest out of the bounding set.  Needs CAP_SETPCAP, so it comes before
 * a change of user.  Async-signal-safe; false with errno set.
 */
bool capability_bound(uint64_t kept) MUST_CHECK;

/* Gives up, for good, what we have now beyond KEPT.  Async-signal-safe; false with errno set. */
bool capability_lower(uint64_t kept) MUST_CHECK;

#endif
