/* broker_redis.h - what the files of the broker on Redis share; private to broker_redis*.c. */
#ifndef STORE_BROKER_REDIS_H
#define STORE_BROKER_REDIS_H

#include "base/buffer.h"
#include "store/broker_driver.h"
#include "store/redis.h"

/*
 * At most so many messages stand in one entry of a stream, a line each.  A
 * message by itself costs Redis some 15 µs on its way in and out; most of that is
 * the entry's.  An entry is read and acknowledged as a whole.
 */
#define ENTRY_MOST 100

struct redis_broker {
	const struct broker_options *options;
	struct redis_options redis_options;
	struct redis *redis; /* for whoever publishes */
	struct arena *arena;
	int partitions;
	const char **stream;    /* of each partition: "events:0" */
	const char **published; /* the key that counts its messages: "events:0:published" */
};

/* A place in a stream: milliseconds, then our count of the messages up to there. */
struct entry_id {
	long long ms, sequence;
};

/* Of an id as Redis writes it, and of a position, which is one with ".3" behind: its fourth line.
 */
struct entry_id entry_id(const char *text);

/* --- entries that were fetched and not read yet: broker_redis_entries.c --- */

struct entries {
	struct arena *arena;
	struct entry *entry; /* from next to count */
	size_t next, count, room;
	size_t messages;  /* in those from next on */
	size_t per_entry; /* messages of an entry, as they came lately */
};

void entries_drop(struct entries *);
void entries_forget(struct entries *, int partition); /* those of one partition */

/* REPLY is [id, [name, value, …]], and lives in the entries' arena. */
void entries_add(
    struct entries *, int partition, const struct redis_reply *reply, long long deliveries);

/* Whole entries, up to MOST messages; a foreign one that has more comes alone. */
void entries_take(struct entries *, struct arena *, struct broker_batch *, size_t most);

/* --- who holds which partition: broker_redis_lease.c --- */

enum holding { AWAY, HELD, TO_GIVE_BACK };

struct lease_call {
	const char *member, *group;
	long long lease_ms;
	const char *released; /* "3,7": no longer held by us */
	bool leaves;          /* and none any more: the others need not wait for our lease to end */
};

/* The call as a command; its reply is for lease_holding. */
struct redis_command lease_command(
    struct redis_broker *, struct redis *, struct arena *, const struct lease_call *);
bool lease_tell(struct redis *, struct arena *) MUST_CHECK; /* the scripts, to a new Redis */
enum holding lease_holding(const struct redis_reply *, int partition);

/* Takes away what all groups have done with and is older than KEEP_MS; see the script. */
struct redis_command trim_command(
    struct redis_broker *, struct redis *, struct arena *, int partition, long long keep_ms);

/* The longest that one call waits for a first message: leases are renewed in between. */
#define WAIT_MOST_MS 1000

/* --- a member of a group: broker_redis_member.c --- */

struct part {
	enum holding state;
	bool joined;         /* the stream and its group are there */
	bool recovers;       /* what is pending comes first */
	char recovered[48];  /* so far */
	long long in_hand;   /* messages read and not acknowledged */
	long long published; /* messages ever, when that was last asked */
	long long done;      /* of those, acknowledged */
};

struct reader {
	struct redis_broker *broker;
	struct broker_group group;
	struct redis_options options;
	struct redis *redis; /* one connection: a call on it may block */
	struct part *part;
	struct entries entries;
	int64_t lease_at; /* clock_now: when leases are to be renewed; 0: none was asked for yet */
	bool gives_back;  /* a partition is ready to be given back */
};

static inline bool redis_holds(const struct reader *reader, int partition)
{
	return reader->part[partition].state == HELD;
}

/* Renews leases that are due, and joins the groups of what is new.  False: as redis_run. */
bool member_keep(struct reader *, struct arena *) MUST_CHECK;

/* An answer was lost: whatever it handed to us is pending, beside what we hold. */
void member_lose_track(struct reader *);

void *redis_join(void *broker, const struct broker_group *);
void redis_leave(void *reader);
void redis_hold(void *reader);
size_t redis_lags(void *reader, struct broker_lag *);

/* --- reading: broker_redis_read.c --- */

bool redis_read(
    void *reader, struct arena *, struct broker_batch *, size_t most, long long wait_ms);
bool redis_acknowledge(void *reader, const struct broker_batch *);

#endif
