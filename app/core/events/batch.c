/*
 * batch.c - a batch of messages becomes events, dead letters and repetitions.
 *
 * Everything is checked by the shape that checked it when it was published: the
 * broker may have other publishers, and older ones.
 */
#include "core/events/batch.h"

#include <string.h>

#include "core/events/carried.h"
#include "core/input/inputs.h"

#define ARENA_KEEP (2 << 20)

void batch_init(struct batch *batch)
{
	*batch = (struct batch){ .arena = arena_new(ARENA_KEEP) };
}

void batch_free(struct batch *batch)
{
	if (batch->rq != NULL)
		request_end(batch->rq);
	arena_free(&batch->arena);
}

void batch_begin(struct batch *batch, struct application *app)
{
	struct arena *arena = batch->arena;

	if (batch->rq != NULL)
		request_end(batch->rq);
	arena_reset(arena);
	*batch = (struct batch){ .arena = arena, .rq = request_new(app, arena) };
}

void batch_bury(struct batch *batch, const struct broker_delivery *message, const char *reason)
{
	batch->dead[batch->dead_count++] = (struct dead_letter){ message, reason };
}

bool batch_is_careful(const struct batch *batch)
{
	for (size_t i = 0; i < batch->read.count; i++)
		if (batch->read.message[i].deliveries >= BATCH_CAREFUL)
			return true;
	return false;
}

/* --- one message --- */

const void *event_bind(struct request *rq, const struct event_kind *kind, const char *body,
    size_t length, const char **wrong)
{
	struct route *as;

	/* A message is bound as a request's body is, by a route that takes such a thing. */
	if (rq->route == NULL) {
		as = arena_alloc(rq->arena, sizeof(*as));
		*as = (struct route){ .path = "", .method = POST, .takes = kind->takes };
		rq->route = as;
		rq->method = POST;
	}
	rq->faults = (struct faults){ .most = 1 };
	*wrong = inputs_take(rq, body, length);
	if (*wrong == NULL && rq->faults.count > 0)
		*wrong = arena_print(
		    rq->arena, "%s %s", rq->faults.first->pointer + 1, rq->faults.first->detail);
	return *wrong == NULL ? rq->input : NULL;
}

static const char *refuse(struct batch *batch, const struct consume_options *options,
    const struct event_received *received, const struct broker_delivery *message)
{
	if (message->deliveries > options->deliveries_most)
		return arena_print(batch->arena,
		    "was handed out %lld times, and its consumer ended each time",
		    message->deliveries - 1);
	return options->kind->refuse != NULL ? options->kind->refuse(batch->rq, received) : NULL;
}

/* --- repetitions --- */

/* Ids of the batch: a table of places in received, plus one, found by their hash. */
struct ids {
	unsigned *place;
	size_t mask;
};

static struct ids ids_new(struct arena *arena, size_t count)
{
	size_t size = 16;

	while (size < 2 * count)
		size *= 2;
	return (struct ids){ arena_alloc(arena, size * sizeof(unsigned)), size - 1 };
}

static const char *id_of(const struct consume_options *options, const void *event)
{
	return *(const char *const *)((const char *)event + options->kind->id);
}

static size_t hash(const char *text)
{
	size_t hash = 5381;

	while (*text != '\0')
		hash = hash * 33 ^ (unsigned char)*text++;
	return hash ^ hash >> 15;
}

/* Whether an event of the batch has EVENT's id; if none has, this one, the next, is remembered. */
static bool is_repeated(struct ids *ids, const struct batch *batch,
    const struct consume_options *options, const void *event)
{
	const char *id = id_of(options, event);
	size_t at = hash(id) & ids->mask;

	for (; ids->place[at] != 0; at = (at + 1) & ids->mask)
		if (strcmp(id_of(options, batch->received[ids->place[at] - 1].event), id) == 0)
			return true;
	ids->place[at] = (unsigned)batch->count + 1;
	return false;
}

/* --- all --- */

void batch_check(struct batch *batch, const struct consume_options *options)
{
	size_t count = batch->read.count;
	struct ids ids = ids_new(batch->arena, count);

	batch->received = arena_alloc(batch->arena, count * sizeof(*batch->received));
	batch->message = arena_alloc(batch->arena, count * sizeof(*batch->message));
	batch->dead = arena_alloc(batch->arena, count * sizeof(*batch->dead));
	for (size_t i = 0; i < count; i++) {
		const struct broker_delivery *message = &batch->read.message[i];
		struct event_received received = { .received_ms = message->at_ms };
		const char *wrong, *body;
		size_t length;

		body = carried_take(batch, message, &length);
		received.event = event_bind(batch->rq, options->kind, body, length, &wrong);
		if (wrong == NULL)
			wrong = refuse(batch, options, &received, message);
		if (wrong != NULL) {
			batch_bury(batch, message, wrong);
		} else if (is_repeated(&ids, batch, options, received.event)) {
			batch->repeated++;
		} else {
			batch->message[batch->count] = message;
			batch->received[batch->count++] = received;
		}
	}
}
