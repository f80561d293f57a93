/* spool_record.c - the messages of one call as bytes, and how to know that these are whole. */
#include <string.h>

#include "base/crypto.h"
#include "store/spool_files.h"

/* Stands before each message. */
struct message_head {
	uint32_t key, body; /* lengths, each without its NUL */
};

/* What a torn write left behind differs from it with all but certainty: 64 bits of a SHA-256. */
static uint64_t check_of(const char *record, size_t length)
{
	unsigned char digest[DIGEST_BYTES];
	uint64_t check;
	size_t skipped = offsetof(struct record_head, length);

	digest_of(record + skipped, length - skipped, digest);
	memcpy(&check, digest, sizeof(check));
	return check;
}

char *spooled_write(
    struct arena *arena, const struct broker_message *messages, size_t count, size_t *length)
{
	struct record_head head = { .count = (uint32_t)count };
	char *record, *at;

	*length = sizeof(head);
	for (size_t i = 0; i < count; i++)
		*length += sizeof(struct message_head) + strlen(messages[i].key) + 1 +
			   messages[i].length + 1;
	record = arena_alloc(arena, *length);
	head.length = (uint32_t)(*length - sizeof(head));
	memcpy(record, &head, sizeof(head));
	at = record + sizeof(head);
	for (size_t i = 0; i < count; i++) {
		const struct broker_message *message = &messages[i];
		struct message_head lengths = { (uint32_t)strlen(message->key),
			(uint32_t)message->length };

		memcpy(at, &lengths, sizeof(lengths));
		at += sizeof(lengths);
		memcpy(at, message->key, lengths.key + 1);
		at += lengths.key + 1;
		memcpy(at, message->body, message->length);
		at += message->length + 1; /* the arena's bytes are zero */
	}
	head.check = check_of(record, *length);
	memcpy(record, &head, sizeof(head));
	return record;
}

size_t spooled_check(const char *bytes, size_t length, uint64_t position)
{
	struct record_head head;
	size_t whole;

	if (length < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	whole = sizeof(head) + head.length;
	return head.position == position && whole <= length && check_of(bytes, whole) == head.check
		   ? whole
		   : 0;
}

size_t spooled_read(const char *record, struct broker_message *messages)
{
	struct record_head head;
	const char *at = record + sizeof(head);

	memcpy(&head, record, sizeof(head));
	for (size_t i = 0; i < head.count; i++) {
		struct message_head lengths;

		memcpy(&lengths, at, sizeof(lengths));
		at += sizeof(lengths);
		messages[i].key = at;
		at += lengths.key + 1;
		messages[i].body = at;
		messages[i].length = lengths.body;
		at += lengths.body + 1;
	}
	return head.count;
}
