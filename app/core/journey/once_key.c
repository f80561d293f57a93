/* once_key.c - the value of an Idempotency-Key header. */
#include "core/journey/once_key.h"

#include <stdbool.h>
#include <string.h>

/* Within quotes a blank is a character like others. */
static bool is_key_character(char c, bool quoted)
{
	if (c == '"' || c == '\\')
		return false;
	return quoted ? c >= ' ' && c <= '~' : c > ' ' && c <= '~' && c != ',' && c != ';';
}

static const char *quoted_key(struct arena *arena, const char *text)
{
	char *key = arena_copy(arena, text, strlen(text)), *end = key;

	while (*text != '"') {
		if (*text == '\\') {
			text++;
			if (*text != '"' && *text != '\\')
				return NULL;
		} else if (!is_key_character(*text, true)) {
			return NULL;
		}
		*end++ = *text++;
	}
	*end = '\0';
	return text[1] == '\0' ? key : NULL;
}

static const char *bare_key(struct arena *arena, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (!is_key_character(*c, false))
			return NULL;
	return arena_copy(arena, text, strlen(text));
}

const char *once_key(struct arena *arena, const char *text)
{
	const char *key = *text == '"' ? quoted_key(arena, text + 1) : bare_key(arena, text);
	size_t length = key != NULL ? strlen(key) : 0;

	return length > 0 && length <= ONCE_KEY_MOST ? key : NULL;
}
