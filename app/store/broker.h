/*
 * broker.h - messages between who takes them and who applies them, in partitions that keep an
 * order.
 *
 * A broker decouples two speeds: what is published is on the disk of the broker
 * when the call returns, and is read by whoever has joined a group, at its own
 * pace, at least once.  Messages of one key stand in one partition and come in
 * the order in which they were published.  One member of a group at a time reads
 * a partition; members that come and go share the partitions anew.
 *
 * Two brokers do this: streams of Redis (broker_redis.c), and Kafka, in a module
 * (module.h) because its client is larger than this program.  What they promise
 * is the same, and so are the tests.  What neither promises is "exactly once":
 *
 *  - a call of broker_publish that fails may have published some of its messages;
 *  - what was read and not acknowledged is read again, by another member, when
 *    its reader dies, is too slow for its lease, or loses the partition.
 *
 * So whoever publishes gives each message an id, and whoever applies knows the
 * ids it has seen.  In return nothing here is ever in doubt: publish again, read
 * again.
 *
 * A position names a message within its partition, and grows with it.  It means
 * nothing to a caller but this: kept with the effect of the message, it says
 * where to go on should the broker have forgotten the group.
 */
#ifndef STORE_BROKER_H
#define STORE_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct broker;
struct broker_reader;

struct broker_options {
	const char *where;     /* "redis:/path/of.sock", "redis:host:port", "kafka:host:port,…" */
	const char *stream;    /* of Redis the beginning of its keys; of Kafka the topic */
	long long partitions;  /* a topic of Kafka that has fewer gets more, one that has more keeps
				  them */
	long long connections; /* at most so many */
	long long timeout_ms;  /* of a call */
	long long retry_ms;    /* after a failure the broker is asked again then */
	const char *secret;    /* of Kafka: its "sasl.password"; NULL: none */
	const char *const *more; /* of Kafka: "name=value" settings of librdkafka; NULL ends them */
};

/* Opens it, and connects to nothing yet.  NULL: *WRONG says in the arena why it cannot be. */
struct broker *broker_open(
    const struct broker_options *, struct arena *, const char **wrong) MUST_CHECK;
void broker_close(struct broker **);

/* --- publishing: by any number of threads --- */

struct broker_message {
	const char *key;  /* decides the partition */
	const char *body; /* has no line break, as JSON on one line */
	size_t length;
};

/*
 * True: all COUNT are on the broker's disk.  False: it is gone, or has no room;
 * some may be there all the same.  Ends within the timeout.
 */
bool broker_publish(
    struct broker *, struct arena *, const struct broker_message *, size_t count) MUST_CHECK;

/* --- reading: by one thread per reader --- */

struct broker_group {
	const char *name;     /* of the group: its members share the partitions */
	const char *member;   /* who we are: unlike any other's, also those of the past */
	long long lease_ms;   /* who is not heard of for so long loses its partitions */
	long long keep_ms;    /* so long what all groups have done with stays, to be read again */
	long long from_ms;    /* since 1970: where a group that is new begins; 0: at the first */
	long long batch_most; /* the most messages of one read */

	/*
	 * Where to go on in a partition that the broker has no position for: the
	 * last position done, in the arena, or NULL to begin at .from_ms.
	 */
	const char *(*done)(void *context, struct arena *, int partition);
	void *context;
};

struct broker_delivery {
	int partition;
	const char *position;
	int64_t at_ms;        /* since 1970: when the broker had it */
	long long deliveries; /* how often it was handed out, this time included; 1 when unknown */
	const char *body;     /* with a NUL behind its bytes */
	size_t length;
};

/* What one read has brought: to be acknowledged as a whole. */
struct broker_batch {
	struct broker_delivery *message;
	size_t count;
};

/* Joins, which reaches the broker with the first read.  GROUP is copied, its texts are not. */
struct broker_reader *broker_join(struct broker *, const struct broker_group *);

/* Leaves: what was read and not acknowledged goes to the others at once. */
void broker_leave(struct broker_reader **);

/*
 * The next messages, in the arena: as many as are there, up to MOST, after
 * waiting at most WAIT_MS for a first one.  False: the broker is not to be had.  To be called
 * more often than a third of the lease, as it is what renews that.
 */
bool broker_read(struct broker_reader *, struct arena *, struct broker_batch *, size_t most,
    long long wait_ms) MUST_CHECK;

/*
 * All messages of BATCH are done.  Batches are acknowledged in the order in which they were read.
 * False: they, and what was read since, may come again.
 */
bool broker_acknowledge(struct broker_reader *, const struct broker_batch *) MUST_CHECK;

/* While a batch takes longer than the lease allows: renews it without reading. */
void broker_hold(struct broker_reader *);

/* What is left to read in the partitions that this reader holds. */
struct broker_lag {
	int partition;
	long long unread; /* messages not acknowledged */
};
#define BROKER_PARTITIONS_MOST 256
size_t broker_lags(struct broker_reader *, struct broker_lag lag[static BROKER_PARTITIONS_MOST]);

/*
 * For who looks on and reads nothing: how many messages stand behind POSITION, of each
 * partition the last one that is done (NULL: none is).  -1: the broker is not to be had.
 */
long long broker_behind(struct broker *, struct arena *,
    const char *const position[static BROKER_PARTITIONS_MOST]) MUST_CHECK;

#endif
