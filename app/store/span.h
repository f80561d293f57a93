/*
 * span.h - what took how long within a trace that is sampled.
 *
 * A thread that works for a sampled trace has a scope, all others have none: at
 * every place where something could be told, a thread without one takes one branch.
 * Spans go into the ring of the instance, from where `ostler-app export` sends them on;
 * names and attributes are those of OpenTelemetry's semantic conventions.
 */
#ifndef STORE_SPAN_H
#define STORE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"

/* As OTLP numbers them. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER, SPAN_CLIENT, SPAN_PRODUCER, SPAN_CONSUMER };

/* Where spans go, and which traces are sampled; constant once it serves. */
struct tracer {
	struct ring *ring;
	uint64_t sampled_below; /* of 2^56: traces that begin here */
	int64_t stage_us;       /* a stage that took as long is told of */
};

#define SPAN_TRACE_ID 32 /* hexadecimal digits */

struct span_scope {
	const struct tracer *tracer;
	char trace_id[SPAN_TRACE_ID];
	uint64_t seed;   /* random: span ids are made of it */
	uint64_t parent; /* of what is told next; 0: there is none */
	unsigned made, told;
};

/* Of this thread; NULL: nothing is to be told. */
extern _Thread_local struct span_scope *span_scope;

static inline bool span_is_wanted(void)
{
	return __builtin_expect(span_scope != NULL, 0);
}

#define SPAN_ATTRIBUTES 8

/* What is told of a span.  Texts may be NULL: then it is a number, or, 0 too, left out. */
struct span_note {
	const char *name;
	enum span_kind kind;
	bool failed;
	struct {
		const char *key, *text;
		long long number;
	} attribute[SPAN_ATTRIBUTES];
};

struct span {
	uint64_t id, parent;
	int64_t began; /* clock_now */
	unsigned told; /* by then */
};

/* What is told until its end is told as its children. */
void span_begin(struct span *);

/* Tells of it, unless NOTE is NULL: what was told in between then hangs in the air. */
void span_end(const struct span *, const struct span_note *);

/* Whether anything was told since it began. */
bool span_has_children(const struct span *);

/* Tells of something without children that BEGAN then (clock_now) and ends now. */
void span_tell(int64_t began, const struct span_note *);

/* --- for who reads --- */

/* A record of the ring.  TEXT has the name, then each attribute: its key, 't' or 'n', its value. */
struct span_record {
	char trace_id[SPAN_TRACE_ID];
	uint64_t id, parent;
	int64_t began, ended; /* microseconds since 1970 */
	uint8_t kind, failed;
	uint16_t length; /* of the text */
	char text[];
};

#define SPAN_TEXT (RING_RECORD - sizeof(struct span_record))

#endif
