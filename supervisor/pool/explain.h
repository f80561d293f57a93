/* explain.h - has somebody look where a worker hangs: before it is ended, or its request is slow.
 */
#ifndef SUPERVISOR_POOL_EXPLAIN_H
#define SUPERVISOR_POOL_EXPLAIN_H

#include "supervisor/process/inquest.h"

/*
 * A signal would interrupt what the worker hangs in, so it comes behind the look: then
 * true, and worker->signal_at is until when it can wait.  False: send it now.
 */
bool explain_before_signal(
    struct spawner *, struct worker *, enum inquest_reason, int64_t now) MUST_CHECK;

/*
 * It was asked to end, has not, and will be killed; or it is ready and one of its
 * requests is slow, if that is still there.
 */
void explain(struct spawner *, struct worker *, int64_t now);

#endif
