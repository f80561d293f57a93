/* array.c - a SQL array as text (PostgreSQL manual, 8.15.2). */
#include "store/array.h"

#include "base/text.h"

void array_start(struct array *array, struct arena *arena)
{
	buffer_start(&array->text, arena, 256);
	buffer_add_char(&array->text, '{');
}

static void begin_element(struct array *array)
{
	if (array->text.length > 1)
		buffer_add_char(&array->text, ',');
}

void array_add_text(struct array *array, const char *text)
{
	begin_element(array);
	if (text == NULL) {
		buffer_add(&array->text, "NULL", 4);
		return;
	}
	buffer_add_char(&array->text, '"');
	while (*text != '\0') {
		size_t plain = strcspn(text, "\"\\");

		buffer_add(&array->text, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		buffer_add_char(&array->text, '\\');
		buffer_add_char(&array->text, *text++);
	}
	buffer_add_char(&array->text, '"');
}

void array_add_word(struct array *array, const char *word)
{
	begin_element(array);
	buffer_add_text(&array->text, word);
}

void array_add_integer(struct array *array, long long value)
{
	begin_element(array);
	buffer_add_integer(&array->text, value);
}

struct value array_end(struct array *array)
{
	buffer_add(&array->text, "}", 2); /* with its NUL */
	return value_text(array->text.data);
}
