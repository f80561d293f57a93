/* lifecycle.h - what a person wishes for a pool, beside the configuration. */
#ifndef SUPERVISOR_POOL_LIFECYCLE_H
#define SUPERVISOR_POOL_LIFECYCLE_H

#include "supervisor/pool/pool.h"

#define LIFECYCLE_AS_CONFIGURED (-1)

/*
 * Runs so many workers, until the configuration names another number; or as
 * many as are configured again.  NULL, or why not.
 */
const char *lifecycle_scale(struct pool *, long long workers, int64_t now);

/* Takes no more requests, finishes those that it has, and ends.  NULL, or why not. */
const char *lifecycle_drain(struct pool *, int64_t now);

/* The same for each FastCGI pool; returns how many there were. */
size_t lifecycle_drain_all(struct pools *, int64_t now);

/* One worker more, or less, in each FastCGI pool whose number does not follow demand. */
void lifecycle_scale_all(struct pools *, int by, int64_t now);

#endif
