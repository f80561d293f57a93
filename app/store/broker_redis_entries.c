/*
 * broker_redis_entries.c - entries that a reader has fetched: their lines become messages.
 *
 * An entry is handed out whole or not yet, since it is acknowledged whole.
 */
#include <string.h>

#include "store/broker_redis.h"

struct entry {
	int partition; /* NOBODYS: it is ours no more */
	const char *id, *lines;
	size_t length, messages;
	long long deliveries;
};
#define NOBODYS (-1)

void entries_drop(struct entries *entries)
{
	arena_reset(entries->arena);
	entries->entry = NULL;
	entries->next = entries->count = entries->room = entries->messages = 0;
}

void entries_forget(struct entries *entries, int partition)
{
	for (size_t i = entries->next; i < entries->count; i++)
		if (entries->entry[i].partition == partition)
			entries->entry[i].partition = NOBODYS;
}

static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 1;
	const char *at;

	while ((at = memchr(text, '\n', length)) != NULL) {
		length -= (size_t)(at + 1 - text);
		text = at + 1;
		lines++;
	}
	return lines;
}

static struct entry *next_place(struct entries *entries)
{
	if (entries->count == entries->room) {
		size_t room = entries->room > 0 ? entries->room * 2 : 256;

		entries->entry = arena_grow(entries->arena, entries->entry,
		    entries->room * sizeof(struct entry), room * sizeof(struct entry));
		entries->room = room;
	}
	return &entries->entry[entries->count++];
}

void entries_add(
    struct entries *entries, int partition, const struct redis_reply *reply, long long deliveries)
{
	const struct redis_reply *fields = reply->length == 2 ? &reply->list[1] : NULL;
	const struct redis_reply *lines;
	struct entry *entry;

	/* Without fields it was deleted while it was pending: nothing is left to be read. */
	if (reply->kind != REDIS_LIST || fields == NULL || fields->kind != REDIS_LIST ||
	    fields->length < 2)
		return;
	lines = &fields->list[1];
	entry = next_place(entries);
	*entry = (struct entry){ .partition = partition,
		.id = reply->list[0].text,
		.lines = lines->text,
		.length = lines->length,
		.messages = count_lines(lines->text, lines->length),
		.deliveries = deliveries };
	entries->messages += entry->messages;
	entries->per_entry = (entries->messages + entries->count - 1) / entries->count;
}

/* Its lines are the messages "id.0", "id.1", … */
static void hand_out(const struct entry *entry, struct arena *arena, struct broker_batch *batch)
{
	const char *line = entry->lines, *end = entry->lines + entry->length;

	for (size_t i = 0; i < entry->messages; i++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop != NULL ? stop : end) - line);

		batch->message[batch->count++] =
		    (struct broker_delivery){ .partition = entry->partition,
			    .position = arena_print(arena, "%s.%zu", entry->id, i),
			    .at_ms = entry_id(entry->id).ms,
			    .deliveries = entry->deliveries,
			    .body = arena_copy(arena, line, length),
			    .length = length };
		line += length + 1;
	}
}

void entries_take(
    struct entries *entries, struct arena *arena, struct broker_batch *batch, size_t most)
{
	size_t room = entries->messages < most ? entries->messages : most;

	if (entries->next < entries->count && entries->entry[entries->next].messages > room)
		room = entries->entry[entries->next].messages;
	batch->message = arena_alloc(arena, (room + 1) * sizeof(*batch->message));
	while (entries->next < entries->count) {
		const struct entry *entry = &entries->entry[entries->next];

		if (entry->partition != NOBODYS) {
			if (batch->count + entry->messages > room)
				break;
			hand_out(entry, arena, batch);
		}
		entries->messages -= entry->messages;
		entries->next++;
	}
	if (entries->next == entries->count)
		entries_drop(entries);
}
