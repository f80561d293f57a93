/*
 * trace.h - which request this is, across processes: W3C Trace Context and X-Request-Id.
 *
 * nginx hands over both, made up where the client sent none or a bad one; what
 * it hands over is checked again here, since another server may stand in front.
 */
#ifndef CORE_JOURNEY_TRACE_H
#define CORE_JOURNEY_TRACE_H

#include <stdbool.h>

struct trace {
	char parent[56];     /* 00-<32 hex trace id>-<16 hex span id>-<2 hex flags> */
	char request_id[65]; /* 1 to 64 of A-Z a-z 0-9 . _ - */
};

/* Fills TRACE from what was sent (either may be NULL), random where that is unusable. */
void trace_start(struct trace *, const char *traceparent, const char *request_id);

/* Whether TEXT is a version 00 traceparent (W3C Trace Context, 3.2). */
bool trace_parent_is_valid(const char *text);

#endif
