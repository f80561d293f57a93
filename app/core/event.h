/*
 * event.h - how a feature declares what it does with events that come by the thousand.
 *
 * A kind of event is one const struct beside the feature's routes.  From it come
 * the check of what is published and, once more, of what the broker brings; the
 * partition that an event belongs to; and the statement that applies a batch.  A
 * kind has a stream of the broker to itself, and a pool of consumers.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "base/buffer.h"
#include "core/shape.h"
#include "store/connection.h"

struct request;

struct event_received {
	const void *event;     /* a struct of the kind's shape */
	long long received_ms; /* since 1970: when the broker had it */
};

/* Events whose ids differ, in the order in which they came. */
struct event_batch {
	const struct event_received *received;
	size_t count;
	int shard; /* below EVENT_SHARDS: whoever adds up may do so in rows that only this process
		      locks */
};
#define EVENT_SHARDS 64

/*
 * Makes the one statement that applies the batch, in the request's arena; it is
 * run by the consumer, in one transaction with the consumer's own.  Its first
 * row's first column is how many of the events were new: one that was applied
 * before must have no further effect.
 */
typedef struct statement event_apply_fn(struct request *, const struct event_batch *);

/* NULL, or why an event that fits its shape can not be applied all the same. */
typedef const char *event_refuse_fn(struct request *, const struct event_received *);

/* Makes events up, for who has none yet or wants many: the same ones of the same seed. */
struct event_simulation {
	void *(*begin)(struct arena *, unsigned long long seed);

	/* Fills in the next event, a struct of the kind's shape; its texts are in the arena. */
	void (*next)(void *simulation, struct arena *, const char *timestamp, void *event);

	/* Lines of text that say what the events came to. */
	void (*tell)(const void *simulation, struct buffer *);
};

struct event_kind {
	const char *name; /* of its stream: letters, digits, "-" */
	const char *summary;
	const struct shape *takes;
	size_t id;  /* offsetof the UUID that tells one event from all others */
	size_t key; /* offsetof the TEXT whose events keep their order */
	event_apply_fn *apply;
	event_refuse_fn *refuse; /* NULL: nothing more is asked */

	/*
	 * A statement with one value, a day: makes anew from the log what events add up
	 * to since then, and returns how many they were.  NULL: there is none.
	 */
	const char *rebuild;

	const struct event_simulation *simulation; /* NULL: there is none */
};

#define EVENTS(...)                        \
	(const struct event_kind *const[]) \
	{                                  \
		__VA_ARGS__, NULL          \
	}

#endif
