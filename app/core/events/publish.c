/*
 * publish.c - events on their way to the broker.
 *
 * What was checked is written anew, as one line of JSON by the shape that
 * checked it: what the consumer reads is never a client's own spelling.
 *
 * The broker is asked first, unless something waits for it already: then whatever
 * comes waits behind that (spool.h).
 */
#include "core/events/publish.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer/problem.h"
#include "core/answer/record.h"
#include "core/events/carried.h"
#include "core/journey/traced.h"
#include "store/broker.h"

/* A stream and that of its dead letters. */
struct outlet {
	const struct event_kind *kind;
	struct broker_options options, dead_options;
	struct broker *broker, *dead;
	struct spool *spool; /* NULL: there is none */
};

struct outlets {
	size_t count;
	struct outlet *of;
};

/* --- opening --- */

static struct broker *open_stream(const struct broker_options *options, struct arena *arena)
{
	const char *wrong = NULL;
	struct broker *broker = broker_open(options, arena, &wrong);

	if (broker == NULL)
		die("broker: %s", wrong);
	return broker;
}

static void open_outlet(struct outlet *outlet, const struct event_kind *kind,
    const struct broker_options *options, struct arena *arena)
{
	outlet->kind = kind;
	outlet->options = *options;
	outlet->options.stream = kind->name;
	outlet->broker = open_stream(&outlet->options, arena);
	/* Few, and their order is nobody's concern. */
	outlet->dead_options = *options;
	outlet->dead_options.stream = arena_print(arena, "%s-dead", kind->name);
	outlet->dead_options.partitions = 1;
	outlet->dead_options.connections = 1;
	outlet->dead = open_stream(&outlet->dead_options, arena);
}

static size_t count_kinds(const struct feature *const *features)
{
	size_t count = 0;

	for (; *features != NULL; features++)
		EACH_EVENT(kind, *features)
	count++;
	return count;
}

struct outlets *outlets_open(const struct feature *const *features,
    const struct broker_options *options, struct arena *arena)
{
	struct outlets *outlets = arena_alloc(arena, sizeof(*outlets));

	if (options->where == NULL || *options->where == '\0')
		return NULL;
	outlets->of = arena_alloc(arena, count_kinds(features) * sizeof(*outlets->of) + 1);
	for (; *features != NULL; features++)
		EACH_EVENT(kind, *features)
	open_outlet(&outlets->of[outlets->count++], *kind, options, arena);
	return outlets;
}

void outlets_keep(struct outlets *outlets, const struct spool_options *options, struct arena *arena)
{
	for (size_t i = 0; outlets != NULL && i < outlets->count; i++) {
		struct outlet *outlet = &outlets->of[i];
		struct spool_options own = *options;
		const char *wrong = NULL;

		own.folder = arena_print(arena, "%s/%s", options->folder, outlet->kind->name);
		outlet->spool = spool_open(&own, arena, &wrong);
		if (outlet->spool == NULL)
			die("spool: %s", wrong);
		spool_drain_into(outlet->spool, outlet->broker);
	}
}

long long outlets_waiting(const struct outlets *outlets)
{
	long long bytes = 0;

	for (size_t i = 0; outlets != NULL && i < outlets->count; i++)
		if (outlets->of[i].spool != NULL)
			bytes += spool_waiting(outlets->of[i].spool);
	return bytes;
}

void outlets_close(struct outlets **outlets)
{
	if (*outlets == NULL)
		return;
	for (size_t i = 0; i < (*outlets)->count; i++) {
		spool_close(&(*outlets)->of[i].spool);
		broker_close(&(*outlets)->of[i].broker);
		broker_close(&(*outlets)->of[i].dead);
	}
	*outlets = NULL;
}

static const struct outlet *find(const struct outlets *outlets, const struct event_kind *kind)
{
	for (size_t i = 0; outlets != NULL && i < outlets->count; i++)
		if (outlets->of[i].kind == kind)
			return &outlets->of[i];
	if (outlets != NULL)
		bug("no feature hears %s", kind->name);
	return NULL;
}

struct broker *outlets_called(const struct outlets *outlets, const char *kind)
{
	for (size_t i = 0; outlets != NULL && i < outlets->count; i++)
		if (strcmp(outlets->of[i].kind->name, kind) == 0)
			return outlets->of[i].broker;
	return NULL;
}

struct broker *outlets_of(const struct outlets *outlets, const struct event_kind *kind)
{
	const struct outlet *outlet = find(outlets, kind);

	return outlet != NULL ? outlet->broker : NULL;
}

struct broker *outlets_of_dead(const struct outlets *outlets, const struct event_kind *kind)
{
	const struct outlet *outlet = find(outlets, kind);

	return outlet != NULL ? outlet->dead : NULL;
}

/* --- publishing --- */

/*
 * All events in one buffer, which moves while it grows: lengths first, places last.
 * The writer of JSON puts a comma between two values, as in a list; it is no message's.
 */
struct broker_message *events_write(
    struct arena *arena, const struct event_kind *kind, const struct list *list)
{
	struct broker_message *messages = arena_alloc(arena, list->count * sizeof(*messages));
	struct buffer text;
	size_t at = 0;

	buffer_start(&text, arena, list->count * 320);
	for (size_t i = 0; i < list->count; i++) {
		size_t begins = text.length + (i > 0);
		const char *event = list_item(list, i);

		record_write_sparse(&text, kind->takes, event);
		messages[i].key = *(const char *const *)(event + kind->key);
		messages[i].length = text.length - begins;
	}
	for (size_t i = 0; i < list->count; at += messages[i++].length + 1)
		messages[i].body = text.data + at;
	return messages;
}

bool outlets_publish(const struct outlets *outlets, const struct event_kind *kind,
    struct arena *arena, const struct broker_message *messages, size_t count)
{
	const struct outlet *outlet = find(outlets, kind);
	enum spool_fate fate;

	if (outlet == NULL || outlet->spool == NULL)
		return outlet != NULL && broker_publish(outlet->broker, arena, messages, count);
	if (!spool_is_empty(outlet->spool)) {
		fate = spool_keep(outlet->spool, arena, messages, count, true);
		if (fate != SPOOL_PASSED)
			return fate == SPOOL_KEPT;
	}
	return broker_publish(outlet->broker, arena, messages, count) ||
	       spool_keep(outlet->spool, arena, messages, count, false) == SPOOL_KEPT;
}

/* The consumer's span will be a child of this one. */
static bool publish_traced(struct request *rq, const struct event_kind *kind,
    struct broker_message *messages, size_t count)
{
	struct span_note note = { .name = arena_print(rq->arena, "send %s", kind->name),
		.kind = SPAN_PRODUCER,
		.attribute = { { "messaging.operation.type", "send", 0 },
		    { "messaging.destination.name", kind->name, 0 },
		    { "messaging.batch.message_count", NULL, (long long)count } } };
	struct span span;

	span_begin(&span);
	carried_add(rq->arena, messages, count,
	    arena_print(rq->arena, "00-%.32s-%016" PRIx64 "-01", span_scope->trace_id, span.id));
	note.failed = !outlets_publish(rq->app->outlets, kind, rq->arena, messages, count);
	span_end(&span, &note);
	return !note.failed;
}

bool publish(struct request *rq, const struct event_kind *kind, const struct list *list)
{
	struct broker_message *messages;

	if (rq->app->outlets == NULL)
		return false;
	messages = events_write(rq->arena, kind, list);
	if (rq->traced != NULL)
		return publish_traced(rq, kind, messages, list->count);
	return outlets_publish(rq->app->outlets, kind, rq->arena, messages, list->count);
}

long long event_days(const struct request *rq)
{
	return rq->app->event_days;
}

long long event_oldest_ms(const struct request *rq)
{
	return clock_wall() / 1000 - rq->app->event_days * 24 * 3600 * 1000;
}

int reply_not_taken(struct request *rq)
{
	return reply_problem(
	    rq, 503, "Events cannot be taken just now: send them again, with the same ids.");
}
