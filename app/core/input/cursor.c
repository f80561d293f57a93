/*
 * cursor.c - where a page of a list ended, as an opaque text.
 *
 * It holds the sort key of the last row, not a number of rows to skip: a page
 * deep in the list costs what the first one costs, and a row written meanwhile
 * neither repeats nor hides another.
 */
#include "core/input/cursor.h"

#include <string.h>

#include "base/text.h"
#include "core/input/formats.h"
#include "core/input/instant.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *cursor_encode(struct arena *arena, const struct cursor *cursor)
{
	const char *plain = cursor->uuid != NULL
				? arena_print(arena, "%s/%s", cursor->time, cursor->uuid)
				: arena_print(arena, "%s/%lld", cursor->time, cursor->id);
	size_t length = strlen(plain);
	char *text = arena_alloc(arena, length * 4 / 3 + 4);
	char *out = text;
	unsigned bits = 0, count = 0;

	for (size_t i = 0; i < length; i++) {
		bits = bits << 8 | (unsigned char)plain[i];
		for (count += 8; count >= 6; count -= 6)
			*out++ = alphabet[bits >> (count - 6) & 63];
	}
	if (count > 0)
		*out++ = alphabet[bits << (6 - count) & 63];
	return text;
}

/* NULL when TEXT has a letter outside the alphabet. */
static char *decode(struct arena *arena, const char *text)
{
	char *plain = arena_alloc(arena, strlen(text) + 1);
	char *out = plain;
	unsigned bits = 0, count = 0;

	for (; *text != '\0'; text++) {
		const char *letter = strchr(alphabet, *text);

		if (letter == NULL)
			return NULL;
		bits = bits << 6 | (unsigned)(letter - alphabet);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		*out++ = (char)(bits >> count & 255);
	}
	return plain;
}

bool cursor_decode(struct arena *arena, const char *text, struct cursor *cursor)
{
	char *plain = decode(arena, text);
	char *slash = plain != NULL ? strchr(plain, '/') : NULL;

	if (slash == NULL)
		return false;
	*slash = '\0';
	cursor->time = plain;
	/* Ours are in UTC; an offset is another's, and PostgreSQL takes fewer than RFC 3339. */
	if (!instant_is_valid(plain) || slash[-1] != 'Z')
		return false;
	cursor->uuid = uuid_is_valid(slash + 1) ? slash + 1 : NULL;
	return cursor->uuid != NULL || text_to_integer(slash + 1, &cursor->id);
}
