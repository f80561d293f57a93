/* buffer.c - bytes that grow, in an arena. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

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
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(NULL, 0, format, values);
	va_end(values);
	if (length < 0)
		bug("buffer_print: bad format %s", format);
	/* vsnprintf writes a NUL behind the text; the length leaves it out. */
	if (buffer->room - buffer->length < (size_t)length + 1)
		buffer_make_room(buffer, (size_t)length + 1);
	va_start(values, format);
	vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, values);
	va_end(values);
	buffer->length += (size_t)length;
}

void buffer_add_integer(struct buffer *buffer, long long value)
{
	char digits[24];
	char *end = digits + sizeof(digits);
	char *p = end;
	unsigned long long rest = value < 0 ? -(unsigned long long)value
					    : (unsigned long long)value;

	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		*--p = '-';
	buffer_add(buffer, p, (size_t)(end - p));
}
