/*
 * broker_redis_read.c - a broker on streams of Redis: a member of a group that reads.
 *
 * Entries that were handed to a member and not acknowledged stay in the group's
 * list of what is pending.  Whenever that list may hold what nobody works on (a
 * partition was taken over, an answer was lost) it is read first, by XAUTOCLAIM:
 * then entries come in their order, whoever had them before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/broker_redis.h"

/* Entries that one call claims of what is pending. */
#define CLAIM_MOST "100"

/* An entry that was handed out so often is claimed by itself. */
#define OFTEN 3

/* --- fetching --- */

/* The group is gone: somebody emptied the stream.  It is made anew, where the last one was. */
static void note_error(struct reader *reader, const struct redis_reply *reply)
{
	if (!text_starts(reply->text, "NOGROUP"))
		log_warn("the broker gives no message: %s", reply->text);
	for (int i = 0; i < reader->broker->partitions; i++)
		reader->part[i].joined = false;
}

/* How often ID was handed out, now that it is once more; of [id, member, idle, times], …. */
static long long deliveries_of(const struct redis_reply *pending, const char *id)
{
	for (size_t i = 0; pending->kind == REDIS_LIST && i < pending->length; i++)
		if (strcmp(pending->list[i].list[0].text, id) == 0)
			return pending->list[i].list[3].integer + 1;
	return 1;
}

/*
 * How many to claim.  One by one when the first was handed out often: should it be what ends its
 * readers, the count of those behind it does not rise with its own.
 */
static const char *how_many(const struct redis_reply *pending)
{
	bool often = pending->kind == REDIS_LIST && pending->length > 0 &&
		     pending->list[0].list[3].integer >= OFTEN;

	return often ? "1" : CLAIM_MOST;
}

/* One claim of what is pending in PARTITION. */
static bool recover(struct reader *reader, int partition)
{
	struct part *part = &reader->part[partition];
	const char *stream = reader->broker->stream[partition], *group = reader->group.name;
	struct arena *arena = reader->entries.arena;
	const struct redis_command look = { .words = { "XPENDING", stream, group, part->recovered,
						"+", CLAIM_MOST } };
	struct redis_command claim = { .words = { "XAUTOCLAIM", stream, group, reader->group.member,
					   "0", part->recovered, "COUNT" } };
	struct redis_reply pending, claimed;

	if (!redis_run(reader->redis, arena, 1, &look, &pending))
		return false;
	claim.words[7] = how_many(&pending);
	if (!redis_run(reader->redis, arena, 1, &claim, &claimed))
		return false;
	if (claimed.kind != REDIS_LIST || claimed.length < 2) {
		note_error(reader, &claimed);
		return true;
	}
	for (size_t i = 0; i < claimed.list[1].length; i++) {
		const struct redis_reply *entry = &claimed.list[1].list[i];

		if (entry->kind == REDIS_LIST)
			entries_add(&reader->entries, partition, entry,
			    deliveries_of(&pending, entry->list[0].text));
	}
	snprintf(part->recovered, sizeof(part->recovered), "%s", claimed.list[0].text);
	part->recovers = strcmp(part->recovered, "0-0") != 0;
	return true;
}

static int partition_of_stream(const char *stream)
{
	return atoi(strrchr(stream, ':') + 1);
}

/* STREAMS key … id …: of those that are ours; NULL when none is. */
static const char **list_streams(struct reader *reader, struct arena *arena, size_t *held)
{
	size_t partitions = (size_t)reader->broker->partitions;
	const char **words = arena_alloc(arena, (2 * partitions + 2) * sizeof(*words));

	*held = 0;
	words[0] = "STREAMS";
	for (size_t i = 0; i < partitions; i++)
		if (redis_holds(reader, (int)i) && reader->part[i].joined)
			words[1 + (*held)++] = reader->broker->stream[i];
	for (size_t i = 0; i < *held; i++)
		words[1 + *held + i] = ">";
	return words;
}

/*
 * Nothing is left to be read: so much is certain, also where somebody has published by
 * other means, whose ids count nothing.
 */
static void note_end(struct reader *reader)
{
	for (int i = 0; i < reader->broker->partitions; i++) {
		struct part *part = &reader->part[i];

		if (redis_holds(reader, i) && part->in_hand == 0)
			part->done = part->published;
	}
}

static bool read_new(struct reader *reader, size_t most, long long wait_ms)
{
	struct redis_command command = { .words = { "XREADGROUP", "GROUP", reader->group.name,
					     reader->group.member, "COUNT" } };
	struct redis_reply reply;
	size_t held, count;

	command.more = list_streams(reader, reader->entries.arena, &held);
	if (held == 0) {
		(void)usleep((useconds_t)wait_ms * 1000);
		return true;
	}
	/* COUNT is of entries, and of each stream: about so many make a batch. */
	count = most / reader->entries.per_entry / held;
	command.words[5] = arena_print(reader->entries.arena, "%zu", count < 8 ? 8 : count);
	if (wait_ms > 0) {
		command.words[6] = "BLOCK";
		command.words[7] = arena_print(reader->entries.arena, "%lld", wait_ms);
	}
	if (!redis_run(reader->redis, reader->entries.arena, 1, &command, &reply))
		return false;
	if (reply.kind == REDIS_ERROR)
		note_error(reader, &reply);
	else if (reply.kind == REDIS_NOTHING)
		note_end(reader);
	for (size_t i = 0; reply.kind == REDIS_LIST && i < reply.length; i++) {
		const struct redis_reply *stream = &reply.list[i];

		for (size_t j = 0; j < stream->list[1].length; j++)
			entries_add(&reader->entries, partition_of_stream(stream->list[0].text),
			    &stream->list[1].list[j], 1);
	}
	return true;
}

static bool fetch(struct reader *reader, size_t most, long long wait_ms)
{
	for (int i = 0; i < reader->broker->partitions; i++)
		if (redis_holds(reader, i) && reader->part[i].recovers && reader->part[i].joined) {
			if (!recover(reader, i))
				return false;
			if (reader->entries.count > 0)
				return true;
		}
	return read_new(reader, most, wait_ms);
}

bool redis_read(
    void *joined, struct arena *arena, struct broker_batch *batch, size_t most, long long wait_ms)
{
	struct reader *reader = joined;

	if (!member_keep(reader, arena))
		return false;
	if (reader->entries.next == reader->entries.count &&
	    !fetch(reader, most, wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS)) {
		member_lose_track(reader);
		return false;
	}
	entries_take(&reader->entries, arena, batch, most);
	for (size_t i = 0; i < batch->count; i++)
		reader->part[batch->message[i].partition].in_hand++;
	return true;
}

/* --- acknowledging --- */

/* The ids of the entries of BATCH that are PARTITION's, with their command's other words. */
static const char **list_done(
    struct reader *reader, struct arena *arena, const struct broker_batch *batch, int partition)
{
	const char **ids = arena_alloc(arena, (batch->count + 1) * sizeof(*ids));
	struct part *part = &reader->part[partition];
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct broker_delivery *message = &batch->message[i];
		size_t length = strcspn(message->position, ".");

		if (message->partition != partition)
			continue;
		part->in_hand -= part->in_hand > 0;
		if (entry_id(message->position).sequence > part->done)
			part->done = entry_id(message->position).sequence;
		if (strcmp(message->position + length, ".0") == 0)
			ids[count++] = arena_copy(arena, message->position, length);
	}
	if (part->state == TO_GIVE_BACK && part->in_hand == 0)
		reader->gives_back = true;
	return count > 0 ? ids : NULL;
}

bool redis_acknowledge(void *joined, const struct broker_batch *batch)
{
	struct reader *reader = joined;
	struct redis_broker *broker = reader->broker;
	struct arena *arena = arena_new(0);
	size_t most = (size_t)broker->partitions, count = 0;
	struct redis_command *commands = arena_alloc(arena, most * sizeof(*commands));
	struct redis_reply *replies = arena_alloc(arena, most * sizeof(*replies));
	bool well;

	for (int i = 0; i < broker->partitions; i++) {
		const char **ids = list_done(reader, arena, batch, i);

		if (ids != NULL)
			commands[count++] = (struct redis_command){
				.words = { "XACK", broker->stream[i], reader->group.name },
				.more = ids
			};
	}
	well = redis_run(reader->redis, arena, count, commands, replies);
	if (!well)
		member_lose_track(reader);
	arena_free(&arena);
	return well;
}
