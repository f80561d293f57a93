/* lines.c - bytes as they come, cut into lines of bounded length. */
#include "supervisor/output/lines.h"

#include <string.h>

/* Where text of LENGTH bytes, more than 3, is cut: not within a character of UTF-8. */
static size_t cut(const char *text, size_t length)
{
	size_t at = length;

	while (at > length - 3 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
		at--;
	return ((unsigned char)text[at - 1] & 0xC0) == 0xC0 ? at - 1 : length;
}

static void make_room(struct lines *lines)
{
	size_t at = cut(lines->text, lines->length);

	lines->hear(lines->owner, lines->text, at, true);
	lines->length -= at;
	memmove(lines->text, lines->text + at, lines->length);
}

static void add(struct lines *lines, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t room, part;

		if (lines->length == sizeof(lines->text))
			make_room(lines);
		room = sizeof(lines->text) - lines->length;
		part = length < room ? length : room;
		memcpy(lines->text + lines->length, bytes, part);
		lines->length += part;
		bytes += part;
		length -= part;
	}
}

static void end_line(struct lines *lines)
{
	lines->hear(lines->owner, lines->text, lines->length, false);
	lines->length = 0;
}

void lines_take(struct lines *lines, const char *bytes, size_t length)
{
	const char *end;

	while ((end = memchr(bytes, '\n', length)) != NULL) {
		size_t part = (size_t)(end - bytes);

		add(lines, bytes, part);
		end_line(lines);
		bytes += part + 1;
		length -= part + 1;
	}
	add(lines, bytes, length);
}

void lines_end(struct lines *lines)
{
	if (lines->length > 0)
		end_line(lines);
}
