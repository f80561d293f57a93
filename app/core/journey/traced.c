/*
 * traced.c - the spans of a request's journey and of a job's run.
 *
 * A trace that comes from somewhere is sampled if, and only if, it is so there: half a tree is
 * of no use.  One that begins here, or at our web server, is sampled by the last 56
 * bits of its id (W3C Trace Context level 2, 3.2.2.3.1: the random ones), so that all who decide
 * by the same share decide alike.
 */
#include "core/journey/traced.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"

struct traced {
	struct span_scope scope;
	struct span span;
};

static uint64_t from_hex(const char *digits, size_t count)
{
	char text[17] = "";

	memcpy(text, digits, count);
	return strtoull(text, NULL, 16);
}

static bool is_sampled(const struct trace *trace, const struct tracer *tracer)
{
	if (!trace_begins_here(trace))
		return (from_hex(trace->parent + TRACE_FLAGS_AT, 2) & 1) != 0;
	return from_hex(trace->parent + TRACE_SPAN_ID_AT - 15, 14) < tracer->sampled_below;
}

void traced_open(struct span_scope *scope, const struct tracer *tracer, const char *traceparent)
{
	*scope = (struct span_scope){ .tracer = tracer,
		.parent = from_hex(traceparent + TRACE_SPAN_ID_AT, 16) };
	memcpy(scope->trace_id, traceparent + TRACE_ID_AT, SPAN_TRACE_ID);
	random_fill(&scope->seed, sizeof(scope->seed));
}

void traced_begin(struct request *rq)
{
	const struct tracer *tracer = rq->app->tracer;
	struct trace *trace = &rq->trace;
	struct traced *traced;

	if (tracer == NULL || !is_sampled(trace, tracer))
		return;
	traced = arena_alloc(rq->arena, sizeof(*traced));
	traced_open(&traced->scope, tracer, trace->parent);
	if (trace_begins_here(trace))
		traced->scope.parent = 0;
	rq->traced = traced;
	span_scope = &traced->scope;
	span_begin(&traced->span);
	/* What is done for it elsewhere is done for this span, and sampled as it is. */
	snprintf(trace->parent + TRACE_SPAN_ID_AT, sizeof(trace->parent) - TRACE_SPAN_ID_AT,
	    "%016" PRIx64 "-01", traced->span.id);
}

int traced_stage(struct request *rq, const char *name, int (*run)(struct request *))
{
	const struct span_note note = { .name = name, .kind = SPAN_INTERNAL };
	struct span span;
	int status;
	bool notable;

	span_begin(&span);
	status = run(rq);
	notable = span_has_children(&span) || clock_now() - span.began >= rq->app->tracer->stage_us;
	span_end(&span, notable ? &note : NULL);
	return status;
}

void traced_end(struct request *rq, const struct span_note *note)
{
	span_end(&rq->traced->span, note);
	span_scope = NULL;
	rq->traced = NULL;
}
