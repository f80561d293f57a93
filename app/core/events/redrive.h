/* redrive.h - dead letters go to the broker once more; private to core/ and the roles. */
#ifndef CORE_EVENTS_REDRIVE_H
#define CORE_EVENTS_REDRIVE_H

#include "core/events/publish.h"

/*
 * Publishes all dead letters of the kind that wait, in their order; what cannot be
 * applied this time either becomes a new one.  How many; -1 after logging why not all.
 */
long long redrive_run(struct application *, const struct event_kind *);

#endif
