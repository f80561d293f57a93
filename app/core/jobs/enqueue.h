/* enqueue.h - work for later, and telling those who wait for it; private to core/. */
#ifndef CORE_JOBS_ENQUEUE_H
#define CORE_JOBS_ENQUEUE_H

#include "core/journey/request.h"

/*
 * Tells sleeping workers, behind the commit and outside of any transaction; at
 * most some times a second, for whoever was woken looks again for a while.
 */
void jobs_wake(struct request *);

/* The same check as enqueue_named's, of a kind whose handler will see the input: NULL when it is
 * well. */
const char *jobs_bind(struct request *, const struct job_kind *, const char *json);

#endif
