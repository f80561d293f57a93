/* wire_json.c - private to wire*.c: values as JSON, and JSON as a line. */
#include "supervisor/control/wire_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

char *wire_line(json_t *object)
{
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9))
				    : NULL;
	char *line;
	size_t length;

	json_decref(object);
	if (text == NULL)
		die("out of memory for an answer");
	length = strlen(text);
	line = realloc(text, length + 2);
	if (line == NULL)
		die("out of memory for an answer");
	memcpy(line + length, "\n", 2);
	return line;
}

json_t *wire_text(const char *text, size_t length)
{
	json_t *value = json_stringn(text, length);
	char *clean;

	if (value != NULL)
		return value;
	clean = malloc(length * TEXT_CLEAN_GROWTH + 1);
	if (clean == NULL)
		die("out of memory for an answer");
	value = json_stringn(clean, text_clean(clean, text, length));
	free(clean);
	return value;
}

json_t *wire_seconds(int64_t microseconds)
{
	return microseconds >= 0 ? json_real((double)microseconds / 1e6) : json_null();
}

const char *wire_member_text(struct arena *arena, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? arena_copy(arena, text, strlen(text)) : "";
}

long long wire_member_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}
