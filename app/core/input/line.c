/* line.c - a line of a file as a struct: its values, checked as those of a request are. */
#include "core/core.h"
#include "core/input/bind.h"

static void complain(struct buffer *wrong, const struct field *field, const char *detail)
{
	if (wrong->length > 0)
		buffer_add(wrong, "; ", 2);
	buffer_print(wrong, "%s %s", field->name, detail);
}

const char *line_bind(struct arena *arena, const struct shape *shape, const char *const *values,
    size_t count, void *into)
{
	const struct binder binder = { .arena = arena };
	struct buffer wrong;
	size_t i = 0;

	buffer_start(&wrong, arena, 64);
	EACH_FIELD (field, shape) {
		const char *value = i < count ? values[i] : NULL, *detail = NULL;

		i++;
		if (value != NULL && *value != '\0')
			detail = bind_from_text(&binder, field, value, into);
		else if (field->required)
			detail = "is missing";
		if (detail != NULL)
			complain(&wrong, field, detail);
	}
	if (count > i)
		return arena_print(arena, "has %zu fields, not %zu", count, i);
	if (wrong.length == 0)
		return NULL;
	buffer_add_char(&wrong, '\0');
	return wrong.data;
}
