/* batch.h - a batch of messages becomes events, dead letters and repetitions; private to
 * core/events. */
#ifndef CORE_EVENTS_BATCH_H
#define CORE_EVENTS_BATCH_H

#include "core/events/consume.h"
#include "core/journey/request.h"
#include "store/broker.h"

/* The event that a message is, in the request's arena; NULL: *WRONG says why it is none. */
const void *event_bind(struct request *, const struct event_kind *, const char *body, size_t length,
    const char **wrong);

struct carried;

/* A message that can not be applied, and why. */
struct dead_letter {
	const struct broker_delivery *message;
	const char *reason;
};

struct batch {
	struct arena *arena; /* of all of it; emptied before the next */
	struct request *rq;  /* what the kind's functions work in */
	struct broker_batch read;
	struct event_received *received;        /* what is to be applied */
	const struct broker_delivery **message; /* that each of these came in */
	size_t count, repeated;
	struct dead_letter *dead;
	size_t dead_count;
	struct carried *carried; /* the traces of its events; carried.c */
	size_t carried_count;
};

/* A delivery that was handed out so often is applied by itself: it may be what kills us. */
#define BATCH_CAREFUL 4

void batch_init(struct batch *);
void batch_free(struct batch *);

/* Empties it. */
void batch_begin(struct batch *, struct application *);

/* Checks what was read: all of it is then received, dead or repeated. */
void batch_check(struct batch *, const struct consume_options *);

void batch_bury(struct batch *, const struct broker_delivery *, const char *reason);

/* Whether it is to be finished before anything else is read. */
bool batch_is_careful(const struct batch *);

#endif
