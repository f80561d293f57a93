/*
 * buffer.c - bytes that grow, in an arena.
 *
 * Room doubles when it is used up, so that a long text is moved a few times and not
 * once for each piece.  arena_grow() moves nothing at all as long as the buffer is
 * what its arena gave out last: whoever writes one long text at a time pays for its
 * bytes alone.
 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"

void buffer_start(struct buffer *buffer, struct arena *arena, size_t room)
{
	*buffer = (struct buffer){ .arena = arena, .room = room };
	buffer->data = arena_grow(arena, NULL, 0, room);
}

void buffer_make_room(struct buffer *buffer, size_t more)
{
	size_t room = buffer->room * 2;

	if (room < buffer->length + more)
		room = buffer->length + more;
	buffer->data = arena_grow(buffer->arena, buffer->data, buffer->room, room);
	buffer->room = room;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list values, again;
	size_t room = buffer->room - buffer->length;
	int length;

	va_start(values, format);
	va_copy(again, values);
	length = vsnprintf(buffer->data + buffer->length, room, format, values);
	if (length < 0)
		bug("buffer_print: bad format %s", format);
	/* vsnprintf writes a NUL behind the text; the length leaves it out. */
	if ((size_t)length >= room) {
		buffer_make_room(buffer, (size_t)length + 1);
		vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
	}
	va_end(again);
	va_end(values);
	buffer->length += (size_t)length;
}

void buffer_add_integer(struct buffer *buffer, long long value)
{
	char scratch[TEXT_INTEGER];

	buffer_add_text(buffer, text_from_integer(scratch, value));
}

void buffer_add_words(struct buffer *b, const char *const *words, const char *separator)
{
	for (const char *const *word = words; *word != NULL; word++) {
		if (word > words)
			buffer_add_text(b, separator);
		buffer_add_text(b, *word);
	}
}
