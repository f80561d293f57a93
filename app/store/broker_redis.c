/*
 * broker_redis.c - a broker on streams of Redis: opening it, and publishing.
 *
 * A partition is a stream.  Its ids are not Redis's own: behind the milliseconds
 * stands a count of all messages ever published there, so that two ids tell how
 * many messages lie between them, which is what lag is.
 *
 * Durable means that this Redis runs with "appendfsync always": it answers when
 * what was published is on the disk, one fsync for all who wait for it.
 */
#include "store/broker_redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/script.h"

/*
 * KEYS: the stream, its count.  ARGV: how many messages, and their lines.  Should
 * the clock have been set back, the last id's time goes on being used.
 */
static struct script publish_script = {
	.text = "local n = string.format('%.0f', redis.call('INCRBY', KEYS[2], ARGV[1]))"
		" local t = redis.call('TIME')"
		" local ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))"
		" local id = redis.pcall('XADD', KEYS[1], ms .. '-' .. n, 'm', ARGV[2])"
		" if type(id) == 'table' and string.find(id.err, 'equal or smaller', 1, true) then"
		"  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)"
		"  if last[1] then ms = string.match(last[1][1], '^%d+') end"
		"  id = redis.pcall('XADD', KEYS[1], ms .. '-' .. n, 'm', ARGV[2])"
		"  if type(id) == 'table' and string.find(id.err, 'equal or smaller', 1, true) then"
		"   id = redis.pcall('XADD', KEYS[1], '*', 'm', ARGV[2]) end"
		" end"
		" return id"
};

struct entry_id entry_id(const char *text)
{
	char *end = NULL;
	struct entry_id id = { .ms = strtoll(text, &end, 10) };

	if (*end == '-')
		id.sequence = strtoll(end + 1, NULL, 10);
	return id;
}

/* --- opening --- */

static void *open_broker(const struct broker_options *options, const char *where,
    struct arena *arena, const char **wrong)
{
	struct redis_broker *broker = arena_alloc(arena, sizeof(*broker));
	size_t count = (size_t)options->partitions;

	if (*where == '\0') {
		*wrong = "names no Redis behind \"redis:\"";
		return NULL;
	}
	*broker = (struct redis_broker){ .options = options,
		.redis_options = { .name = "the broker's redis",
		    .address = where,
		    .connections = options->connections,
		    .timeout_ms = options->timeout_ms,
		    .retry_ms = options->retry_ms },
		.arena = arena,
		.partitions = (int)count,
		.stream = arena_alloc(arena, count * sizeof(*broker->stream)),
		.published = arena_alloc(arena, count * sizeof(*broker->published)) };
	for (size_t i = 0; i < count; i++) {
		broker->stream[i] = arena_print(arena, "%s:%zu", options->stream, i);
		broker->published[i] = arena_print(arena, "%s:%zu:published", options->stream, i);
	}
	broker->redis = redis_open(&broker->redis_options);
	return broker;
}

static void close_broker(void *opened)
{
	struct redis_broker *broker = opened;

	redis_close(&broker->redis);
}

/* --- publishing --- */

/*
 * FNV-1a, and what MurmurHash3 does at its end: by itself the former leaves short keys
 * that differ in their last digits in two of eight partitions.
 */
static size_t partition_of(const struct redis_broker *broker, const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)((hash ^ hash >> 33) % (uint64_t)broker->partitions);
}

/* Entries in the making: one for each partition, and those that are full. */
struct posting {
	struct redis_broker *broker;
	struct arena *arena;
	struct buffer *lines; /* of each partition's entry */
	long long *held;      /* messages in it */
	struct redis_command *commands;
	size_t count;
};

static void end_entry(struct posting *posting, size_t partition)
{
	struct buffer *lines = &posting->lines[partition];
	struct script_call call = { .keys = 2,
		.words = { posting->broker->stream[partition],
		    posting->broker->published[partition],
		    arena_print(posting->arena, "%lld", posting->held[partition]), lines->data },
		.lengths = { [3] = lines->length } };

	posting->commands[posting->count++] = script_command(
	    posting->broker->redis, posting->arena, &publish_script, &call);
	posting->held[partition] = 0;
	*lines = (struct buffer){ .arena = NULL };
}

static void add_message(struct posting *posting, const struct broker_message *message)
{
	size_t partition = partition_of(posting->broker, message->key);
	struct buffer *lines = &posting->lines[partition];

	if (posting->held[partition] == 0)
		buffer_start(lines, posting->arena, message->length + 1);
	else
		buffer_add_char(lines, '\n');
	buffer_add(lines, message->body, message->length);
	if (++posting->held[partition] == ENTRY_MOST)
		end_entry(posting, partition);
}

/* Whether every entry got its id; a Redis that has lost the script is told it again. */
static bool all_taken(struct posting *posting, struct redis_reply *replies)
{
	for (size_t i = 0; i < posting->count; i++) {
		if (script_is_unknown(&replies[i])) {
			posting->commands[i].words[0] = "EVAL";
			posting->commands[i].words[1] = publish_script.text;
			if (!redis_run(posting->broker->redis, posting->arena, 1,
				&posting->commands[i], &replies[i]))
				return false;
		}
		if (replies[i].kind != REDIS_TEXT) {
			log_warn("the broker takes no message: %s",
			    replies[i].kind == REDIS_ERROR ? replies[i].text : "a strange answer");
			return false;
		}
	}
	return true;
}

static bool publish(
    void *opened, struct arena *arena, const struct broker_message *messages, size_t count)
{
	struct redis_broker *broker = opened;
	size_t partitions = (size_t)broker->partitions;
	size_t entries = partitions + count / ENTRY_MOST;
	struct posting posting = { .broker = broker,
		.arena = arena,
		.lines = arena_alloc(arena, partitions * sizeof(*posting.lines)),
		.held = arena_alloc(arena, partitions * sizeof(*posting.held)),
		.commands = arena_alloc(arena, entries * sizeof(*posting.commands)) };
	struct redis_reply *replies = arena_alloc(arena, entries * sizeof(*replies));

	for (size_t i = 0; i < count; i++)
		add_message(&posting, &messages[i]);
	for (size_t i = 0; i < partitions; i++)
		if (posting.held[i] > 0)
			end_entry(&posting, i);
	return redis_run(broker->redis, arena, posting.count, posting.commands, replies) &&
	       all_taken(&posting, replies);
}

/* --- looking on --- */

/* An id's count is that of all messages up to there, and of those of its entry, which is done
 * whole. */
static long long behind(void *opened, struct arena *arena, const char *const *position)
{
	struct redis_broker *broker = opened;
	size_t partitions = (size_t)broker->partitions;
	struct redis_command *commands = arena_alloc(arena, partitions * sizeof(*commands));
	struct redis_reply *replies = arena_alloc(arena, partitions * sizeof(*replies));
	long long sum = 0;

	for (size_t i = 0; i < partitions; i++)
		commands[i] = (struct redis_command){ .words = { "GET", broker->published[i] } };
	if (!redis_run(broker->redis, arena, partitions, commands, replies))
		return -1;
	for (size_t i = 0; i < partitions; i++) {
		long long done = position[i] != NULL ? entry_id(position[i]).sequence : 0;
		long long published = replies[i].kind == REDIS_TEXT
					  ? strtoll(replies[i].text, NULL, 10)
					  : 0;

		/* A Redis that lost its data counts anew, and is behind nothing. */
		sum += published > done ? published - done : 0;
	}
	return sum;
}

const struct broker_driver broker_redis = { .open = open_broker,
	.close = close_broker,
	.publish = publish,
	.join = redis_join,
	.leave = redis_leave,
	.read = redis_read,
	.acknowledge = redis_acknowledge,
	.hold = redis_hold,
	.lags = redis_lags,
	.behind = behind };
