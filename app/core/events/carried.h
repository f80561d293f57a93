/*
 * carried.h - the trace that an event belongs to, on its way through the broker; private to
 * core/events.
 *
 * It is the last member of the event's JSON, called as CloudEvents calls it (the distributed
 * tracing extension), so that neither a broker nor the spool has to know of it.  Only events
 * of sampled traces have it.
 */
#ifndef CORE_EVENTS_CARRIED_H
#define CORE_EVENTS_CARRIED_H

#include "core/events/batch.h"

/* Adds TRACEPARENT to the bodies of COUNT messages, in the arena. */
void carried_add(struct arena *, struct broker_message *, size_t count, const char *traceparent);

/*
 * The event that the message is, without what carried_add has added, and in *LENGTH how
 * long; remembers of which trace it is, unless the batch has as many as it tells of.
 */
const char *carried_take(struct batch *, const struct broker_delivery *, size_t *length);

/* What the thread does until carried_rest is told in the first trace of the batch. */
void carried_begin(struct batch *);
void carried_resume(struct batch *);
void carried_rest(void);

/* The batch is applied: tells so in each of its traces. */
void carried_end(struct batch *, const char *kind);

#endif
