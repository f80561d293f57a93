/* cookie.c - one cookie out of the header that has all of them. */
#include "core/identity/cookie.h"

#include <string.h>

/* Between two pairs RFC 6265 has "; ", and servers have always taken less, and more. */
#define BETWEEN "; \t"

static const char *copy_value(struct arena *arena, const char *value, size_t length)
{
	while (length > 0 && strchr(" \t", value[length - 1]) != NULL)
		length--;
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
		return arena_copy(arena, value + 1, length - 2);
	return arena_copy(arena, value, length);
}

/*
 * The first of several counts: a browser sends the one of the longest path first (RFC 6265,
 * 5.4), and ours are all of "/".
 */
const char *cookie_find(struct arena *arena, const char *header, const char *name)
{
	size_t length = strlen(name);

	for (const char *pair = header; pair != NULL && *pair != '\0';) {
		size_t whole;

		pair += strspn(pair, BETWEEN);
		whole = strcspn(pair, ";");
		if (whole > length && pair[length] == '=' && memcmp(pair, name, length) == 0)
			return copy_value(arena, pair + length + 1, whole - length - 1);
		pair += whole;
	}
	return NULL;
}
