/* traced.h - the spans of a request's journey and of a job's run; private to core/. */
#ifndef CORE_JOURNEY_TRACED_H
#define CORE_JOURNEY_TRACED_H

#include "core/journey/request.h"

/* Fills in a scope for what is done below the span that TRACEPARENT, a valid one, names. */
void traced_open(struct span_scope *, const struct tracer *, const char *traceparent);

/*
 * Decides whether the request's trace is sampled, by what its traceparent says or, for one
 * that begins here, by its id.  If so this thread tells of it until traced_end, and
 * the request's traceparent names its own span.
 */
void traced_begin(struct request *);

/* Runs a stage of it; tells of one that took notable time, or in which something was told. */
int traced_stage(struct request *, const char *name, int (*run)(struct request *));

/* Tells of the whole. */
void traced_end(struct request *, const struct span_note *);

#endif
