/*
 * span.c - what took how long within a trace that is sampled.
 *
 * The scope is the one thing in this program that belongs to a thread and is not handed from
 * call to call: statements and round trips happen at the bottom of all layers, for
 * callers that know of no trace, and each would have to carry it for one in a hundred requests.
 */
#include "store/span.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

_Thread_local struct span_scope *span_scope;

/* splitmix64: ids of a trace differ, and need no random numbers of the system for each. */
static uint64_t make_id(struct span_scope *scope)
{
	uint64_t z = scope->seed + ++scope->made * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) | 1; /* never 0, which is no id */
}

/* --- a record --- */

/* Adds as much of TEXT as fits, with its NUL; no character of UTF-8 is cut in two. */
static void add_text(struct span_record *record, const char *text)
{
	size_t room = SPAN_TEXT - record->length - 1, length = strlen(text);

	if (length > room)
		for (length = room; length > 0 && (text[length] & 0xc0) == 0x80;)
			length--;
	memcpy(record->text + record->length, text, length);
	record->length = (uint16_t)(record->length + length);
	record->text[record->length++] = '\0';
}

static void add_attribute(
    struct span_record *record, const char *key, const char *text, bool is_text)
{
	/* The key, its kind, and a value of which something should be left. */
	if (SPAN_TEXT - record->length < strlen(key) + 16)
		return;
	add_text(record, key);
	record->text[record->length++] = is_text ? 't' : 'n';
	add_text(record, text);
}

static void tell(const struct span *span, const struct span_note *note)
{
	_Alignas(8) char bytes[RING_RECORD];
	struct span_record *record = (struct span_record *)bytes;
	int64_t now = clock_now(), wall = clock_wall();

	*record = (struct span_record){ .id = span->id,
		.parent = span->parent,
		.began = wall - (now - span->began),
		.ended = wall,
		.kind = (uint8_t)note->kind,
		.failed = note->failed };
	memcpy(record->trace_id, span_scope->trace_id, SPAN_TRACE_ID);
	add_text(record, note->name);
	for (size_t i = 0; i < SPAN_ATTRIBUTES && note->attribute[i].key != NULL; i++) {
		const char *text = note->attribute[i].text;
		char scratch[TEXT_INTEGER];

		if (text != NULL)
			add_attribute(record, note->attribute[i].key, text, true);
		else if (note->attribute[i].number != 0)
			add_attribute(record, note->attribute[i].key,
			    text_from_integer(scratch, note->attribute[i].number), false);
	}
	(void)ring_put(span_scope->tracer->ring, record, sizeof(*record) + record->length);
	span_scope->told++;
}

/* --- telling --- */

void span_begin(struct span *span)
{
	*span = (struct span){ .id = make_id(span_scope),
		.parent = span_scope->parent,
		.began = clock_now(),
		.told = span_scope->told };
	span_scope->parent = span->id;
}

void span_end(const struct span *span, const struct span_note *note)
{
	span_scope->parent = span->parent;
	if (note != NULL)
		tell(span, note);
}

bool span_has_children(const struct span *span)
{
	return span_scope->told != span->told;
}

void span_tell(int64_t began, const struct span_note *note)
{
	const struct span span = {
		.id = make_id(span_scope), .parent = span_scope->parent, .began = began
	};

	tell(&span, note);
}
