/* buffer.h - bytes that grow, in an arena. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <string.h>

#include "base/arena.h"

struct buffer {
	struct arena *arena;
	char *data; /* not NUL-terminated */
	size_t length, room;
};

void buffer_start(struct buffer *, struct arena *, size_t room);
void buffer_make_room(struct buffer *, size_t more);
void buffer_print(struct buffer *, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_add_integer(struct buffer *, long long value);

/* The words of a NULL-terminated list with SEPARATOR between them. */
void buffer_add_words(struct buffer *, const char *const *words, const char *separator);

static inline void buffer_add(struct buffer *b, const char *bytes, size_t length)
{
	if (b->room - b->length < length)
		buffer_make_room(b, length);
	memcpy(b->data + b->length, bytes, length);
	b->length += length;
}

static inline void buffer_add_char(struct buffer *b, char c)
{
	if (b->room == b->length)
		buffer_make_room(b, 1);
	b->data[b->length++] = c;
}

static inline void buffer_add_text(struct buffer *b, const char *text)
{
	buffer_add(b, text, strlen(text));
}

#endif
