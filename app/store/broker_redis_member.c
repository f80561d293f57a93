/*
 * broker_redis_member.c - a broker on streams of Redis: a member of a group, and its partitions.
 *
 * A member comes, holds some partitions as long as it renews its leases, and
 * goes.  What it has to do now and then travels with the renewal: how much was
 * published, and the trimming of what everybody has done with.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/broker_redis.h"
#include "store/script.h"

/* --- joining and leaving --- */

void *redis_join(void *opened, const struct broker_group *group)
{
	struct redis_broker *broker = opened;
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		die("out of memory");
	*reader = (struct reader){ .broker = broker,
		.group = *group,
		.options = broker->redis_options,
		.part = calloc((size_t)broker->partitions, sizeof(*reader->part)),
		.entries = { .arena = arena_new(256 << 10), .per_entry = 1 } };
	if (reader->part == NULL)
		die("out of memory");
	reader->options.connections = 1;
	/* What a read was given whose answer was lost is pending; another read would pass it by. */
	reader->options.once = true;
	reader->options.timeout_ms += WAIT_MOST_MS;
	reader->redis = redis_open(&reader->options);
	return reader;
}

/* What is not acknowledged stays pending, for whoever takes the partition over. */
void redis_leave(void *joined)
{
	struct reader *reader = joined;
	struct arena *arena = reader->entries.arena;
	struct buffer all;
	struct redis_command command;
	struct redis_reply reply;

	buffer_start(&all, arena, 64);
	for (int i = 0; i < reader->broker->partitions; i++)
		buffer_print(&all, "%d,", i);
	buffer_add_char(&all, '\0');
	command = lease_command(reader->broker, reader->redis, arena,
	    &(struct lease_call){
		reader->group.member, reader->group.name, reader->group.lease_ms, all.data, true });
	if (reader->lease_at != 0 && !redis_run(reader->redis, arena, 1, &command, &reply))
		log_info(
		    "the broker could not be told that we leave: our leases end by themselves");
	redis_close(&reader->redis);
	arena_free(&reader->entries.arena);
	free(reader->part);
	free(reader);
}

/* An answer was lost: whatever it handed to us is pending, beside what we hold. */
void member_lose_track(struct reader *reader)
{
	entries_drop(&reader->entries);
	for (int i = 0; i < reader->broker->partitions; i++) {
		reader->part[i].recovers = true;
		reader->part[i].in_hand = 0;
		strcpy(reader->part[i].recovered, "0-0");
	}
}

/* --- the group of a partition --- */

static const char *where_to_begin(struct reader *reader, struct arena *arena, int partition)
{
	const struct broker_group *group = &reader->group;
	const char *done = group->done != NULL ? group->done(group->context, arena, partition)
					       : NULL;

	if (done != NULL)
		return arena_copy(arena, done, strcspn(done, "."));
	return group->from_ms > 0 ? arena_print(arena, "%lld-0", group->from_ms - 1) : "0";
}

/* Where the group stands, of XINFO GROUPS' [[name, …, last-delivered-id, …], …]. */
static long long delivered(const struct redis_reply *groups, const char *name)
{
	for (size_t i = 0; groups->kind == REDIS_LIST && i < groups->length; i++) {
		const struct redis_reply *of = groups->list[i].list;
		bool ours = false;

		for (size_t j = 0; j + 1 < groups->list[i].length; j += 2) {
			if (strcmp(of[j].text, "name") == 0)
				ours = strcmp(of[j + 1].text, name) == 0;
			else if (ours && strcmp(of[j].text, "last-delivered-id") == 0)
				return entry_id(of[j + 1].text).sequence;
		}
	}
	return 0;
}

static bool make_group(struct reader *reader, struct arena *arena, int partition)
{
	struct part *part = &reader->part[partition];
	const char *stream = reader->broker->stream[partition];
	const struct redis_command commands[] = {
		{ .words = { "XGROUP", "CREATE", stream, reader->group.name,
		      where_to_begin(reader, arena, partition), "MKSTREAM" } },
		{ .words = { "XINFO", "GROUPS", stream } },
	};
	struct redis_reply replies[2];

	if (!redis_run(reader->redis, arena, 2, commands, replies))
		return false;
	part->joined = replies[0].kind == REDIS_TEXT || text_starts(replies[0].text, "BUSYGROUP");
	part->done = delivered(&replies[1], reader->group.name);
	if (!part->joined)
		log_warn("the broker makes no group: %s", replies[0].text);
	return part->joined;
}

/* --- leases --- */

/* Once: what is acknowledged is durable only as far as Redis's own settings say so. */
static void look_at_durability(struct reader *reader, struct arena *arena)
{
	const struct redis_command ask = { .words = { "CONFIG", "GET", "appendfsync" } };
	struct redis_reply reply;

	if (reader->lease_at == 0 && redis_run(reader->redis, arena, 1, &ask, &reply) &&
	    reply.kind == REDIS_LIST && reply.length == 2 &&
	    strcmp(reply.list[1].text, "always") != 0)
		log_warn(
		    "the broker's redis has appendfsync %s: what it has taken may be lost when "
		    "it dies; set it to always",
		    reply.list[1].text);
}

/* What is to be given back, now that nothing of it is in hand; and whether anything is. */
static const char *list_released(struct reader *reader, struct arena *arena)
{
	struct buffer list;

	buffer_start(&list, arena, 16);
	for (int i = 0; i < reader->broker->partitions; i++) {
		struct part *part = &reader->part[i];

		if (part->state != TO_GIVE_BACK || part->in_hand > 0)
			continue;
		buffer_print(&list, "%d,", i);
		*part = (struct part){ .state = AWAY };
	}
	buffer_add_char(&list, '\0');
	return list.data;
}

static void note_holding(struct reader *reader, int partition, enum holding now)
{
	struct part *part = &reader->part[partition];

	if (now == HELD && part->state == AWAY) {
		*part = (struct part){ .state = HELD, .recovers = true, .recovered = "0-0" };
		log_info("partition %d is ours", partition);
	} else if (now == AWAY && part->state != AWAY) {
		entries_forget(&reader->entries, partition);
		*part = (struct part){ .state = AWAY };
		log_info("partition %d is another's", partition);
	} else if (now == TO_GIVE_BACK && part->state != TO_GIVE_BACK) {
		/* What was not handed out yet is left to the next one. */
		entries_forget(&reader->entries, partition);
		part->state = TO_GIVE_BACK;
		reader->gives_back = true;
	} else if (now == HELD) {
		part->state = HELD;
	}
}

/* What travels with a renewal: each partition's count, and a trimming of those that are ours. */
static size_t add_chores(struct reader *reader, struct arena *arena, struct redis_command *commands)
{
	struct redis_broker *broker = reader->broker;
	size_t count = 0;

	for (int i = 0; i < broker->partitions; i++) {
		if (!reader->part[i].joined)
			continue;
		commands[count++] = (struct redis_command){ .words = {
								"GET", broker->published[i] } };
		commands[count++] = trim_command(
		    broker, reader->redis, arena, i, reader->group.keep_ms);
	}
	return count;
}

static void note_published(struct reader *reader, const struct redis_reply *replies)
{
	for (int i = 0; i < reader->broker->partitions; i++) {
		if (!reader->part[i].joined)
			continue;
		if (replies->kind == REDIS_TEXT)
			reader->part[i].published = strtoll(replies->text, NULL, 10);
		replies += 2;
	}
}

static bool renew(struct reader *reader)
{
	struct redis_broker *broker = reader->broker;
	size_t most = 1 + 2 * (size_t)broker->partitions, count;
	struct arena *arena = arena_new(0);
	struct redis_command *commands = arena_alloc(arena, most * sizeof(*commands));
	struct redis_reply *replies = arena_alloc(arena, most * sizeof(*replies));
	bool well;

	count = 1 + add_chores(reader, arena, commands + 1);
	commands[0] = lease_command(broker, reader->redis, arena,
	    &(struct lease_call){ reader->group.member, reader->group.name, reader->group.lease_ms,
		list_released(reader, arena), false });
	look_at_durability(reader, arena);
	well = redis_run(reader->redis, arena, count, commands, replies);
	if (well && script_is_unknown(&replies[0])) {
		/* A Redis that has begun anew. */
		well = lease_tell(reader->redis, arena) &&
		       redis_run(reader->redis, arena, count, commands, replies);
	}
	if (well && replies[0].kind == REDIS_LIST) {
		reader->gives_back = false;
		note_published(reader, replies + 1);
		for (int i = 0; i < broker->partitions; i++)
			note_holding(reader, i, lease_holding(&replies[0], i));
	}
	reader->lease_at = clock_now() + reader->group.lease_ms * 1000 / 3;
	arena_free(&arena);
	return well;
}

/* Renews what is due, and joins the groups of what is new. */
bool member_keep(struct reader *reader, struct arena *arena)
{
	if ((reader->gives_back || clock_now() >= reader->lease_at) && !renew(reader))
		return false;
	for (int i = 0; i < reader->broker->partitions; i++)
		if (redis_holds(reader, i) && !reader->part[i].joined &&
		    !make_group(reader, arena, i))
			return false;
	return true;
}

void redis_hold(void *joined)
{
	struct reader *reader = joined;

	if (clock_now() >= reader->lease_at)
		(void)renew(reader);
}

size_t redis_lags(void *joined, struct broker_lag *lag)
{
	const struct reader *reader = joined;
	size_t count = 0;

	for (int i = 0; i < reader->broker->partitions; i++) {
		const struct part *part = &reader->part[i];
		long long unread = part->published - part->done;

		if (part->state == HELD)
			lag[count++] = (struct broker_lag){ i, unread > 0 ? unread : 0 };
	}
	return count;
}
