/*
 * trace.h - which request this is, across processes: W3C Trace Context and X-Request-Id.
 *
 * nginx hands over both, made up where the client sent none or a bad one; what
 * it hands over is checked again here, since another server may stand in front.
 */
#ifndef CORE_JOURNEY_TRACE_H
#define CORE_JOURNEY_TRACE_H

#include <stdbool.h>

/* Where the parts of a traceparent stand. */
#define TRACE_ID_AT      3
#define TRACE_SPAN_ID_AT 36
#define TRACE_FLAGS_AT   53

struct trace {
	char parent[56];     /* 00-<32 hex trace id>-<16 hex span id>-<2 hex flags> */
	char request_id[65]; /* 1 to 64 of A-Z a-z 0-9 . _ - */
};

/* Fills TRACE from what was sent (either may be NULL), random where that is unusable. */
void trace_start(struct trace *, const char *traceparent, const char *request_id);

/* Whether nobody but us and our web server has had a part in it so far. */
bool trace_begins_here(const struct trace *);

/* Whether TEXT is a version 00 traceparent (W3C Trace Context, 3.2). */
bool trace_parent_is_valid(const char *text);

#endif
