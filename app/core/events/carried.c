/* carried.c - the trace that an event belongs to, on its way through the broker. */
#include "core/events/carried.h"

#include <string.h>

#include "core/journey/traced.h"

#define BEGINS ",\"traceparent\":\""
#define ENDS   "\"}"
#define PARENT (sizeof(((struct trace *)0)->parent) - 1)
#define ADDED  (sizeof(BEGINS) - 1 + PARENT + sizeof(ENDS) - 1)

/* A batch may have a thousand events; whoever samples them all learns of some. */
#define TOLD_MOST 32

struct carried {
	char parent[PARENT + 1];
	struct span_scope scope;
	struct span span;
	long long events;
};

/* --- giving it along --- */

void carried_add(
    struct arena *arena, struct broker_message *messages, size_t count, const char *traceparent)
{
	for (size_t i = 0; i < count; i++) {
		struct broker_message *message = &messages[i];
		/* The '}' of the event moves behind it. */
		char *body = arena_print(arena, "%.*s%s%s%s", (int)message->length - 1,
		    message->body, BEGINS, traceparent, ENDS);

		message->body = body;
		message->length += ADDED - 1;
	}
}

/* --- taking it back --- */

static void remember(struct batch *batch, const char *parent)
{
	struct carried *carried;

	for (size_t i = 0; i < batch->carried_count; i++)
		if (memcmp(batch->carried[i].parent, parent, PARENT) == 0) {
			batch->carried[i].events++;
			return;
		}
	if (batch->rq->app->tracer == NULL || batch->carried_count == TOLD_MOST)
		return;
	if (batch->carried == NULL)
		batch->carried = arena_alloc(batch->arena, TOLD_MOST * sizeof(*carried));
	carried = &batch->carried[batch->carried_count];
	memcpy(carried->parent, parent, PARENT);
	carried->events = 1;
	/* The broker may have other publishers. */
	if (trace_parent_is_valid(carried->parent)) {
		traced_open(&carried->scope, batch->rq->app->tracer, carried->parent);
		batch->carried_count++;
	}
}

const char *carried_take(struct batch *batch, const struct broker_delivery *message, size_t *length)
{
	const char *begins;
	char *event;

	*length = message->length;
	if (message->length <= ADDED)
		return message->body;
	begins = message->body + message->length - ADDED;
	if (memcmp(begins, BEGINS, sizeof(BEGINS) - 1) != 0)
		return message->body;
	remember(batch, begins + sizeof(BEGINS) - 1);
	*length = message->length - ADDED + 1;
	event = arena_copy(batch->arena, message->body, *length);
	event[*length - 1] = '}';
	return event;
}

/* --- telling --- */

void carried_begin(struct batch *batch)
{
	for (size_t i = 0; i < batch->carried_count; i++) {
		span_scope = &batch->carried[i].scope;
		span_begin(&batch->carried[i].span);
	}
	carried_resume(batch);
}

void carried_resume(struct batch *batch)
{
	span_scope = batch->carried_count > 0 ? &batch->carried[0].scope : NULL;
}

void carried_rest(void)
{
	span_scope = NULL;
}

void carried_end(struct batch *batch, const char *kind)
{
	const char *name = arena_print(batch->arena, "process %s", kind);

	for (size_t i = 0; i < batch->carried_count; i++) {
		struct carried *carried = &batch->carried[i];
		const struct span_note note = { .name = name,
			.kind = SPAN_CONSUMER,
			.attribute = { { "messaging.operation.type", "process", 0 },
			    { "messaging.destination.name", kind, 0 },
			    { "messaging.batch.message_count", NULL, carried->events },
			    { "ostler.batch.size", NULL, (long long)batch->read.count } } };

		span_scope = &carried->scope;
		span_end(&carried->span, &note);
	}
	carried_rest();
}
