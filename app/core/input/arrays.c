/*
 * arrays.c - values of a struct as what SQL takes, lists as PostgreSQL's arrays.
 *
 * The text form of an array (PostgreSQL manual, 8.15.2): every element in
 * quotes, with a backslash before quotes and backslashes; NULL without quotes.
 */
#include "core/input/arrays.h"

#include "base/buffer.h"
#include "base/log.h"
#include "core/input/bind.h"
#include "core/input/object.h"

struct value value_of_member(struct arena *arena, const struct field *field, const void *object)
{
	const void *place = (const char *)object + field->offset;

	if (field->many > 0)
		return value_text(array_of_items(arena, place));
	switch (field->kind) {
	case INTEGER:
		return value_integer(*(const long long *)place);
	case NUMBER:
		return value_number(*(const double *)place);
	case BOOLEAN:
		return value_boolean(*(const bool *)place);
	case CURSOR:
	case OBJECT:
	case UPLOAD:
		bug("%s is no single value for SQL: name its members", field->name);
	default:
		return value_text(*(const char *const *)place);
	}
}

static void add_quoted(struct buffer *out, const char *text)
{
	buffer_add_char(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buffer_add_char(out, '\\');
		buffer_add_char(out, *text);
	}
	buffer_add_char(out, '"');
}

static void add_value(struct buffer *out, const struct value *value)
{
	switch (value->kind) {
	case INTEGER:
		buffer_add_integer(out, value->integer);
		break;
	case NUMBER:
		buffer_print(out, "%.17g", value->number);
		break;
	case BOOLEAN:
		buffer_add_char(out, value->boolean ? 't' : 'f');
		break;
	default:
		if (value->kind == NOTHING || value->text == NULL)
			buffer_add_text(out, "NULL");
		else
			add_quoted(out, value->text);
	}
}

static void add_element(struct buffer *out, const struct value *value)
{
	if (out->length > 1)
		buffer_add_char(out, ',');
	add_value(out, value);
}

static const char *end_array(struct buffer *out)
{
	buffer_add(out, "}", 2);
	return out->data;
}

const char *array_of_items(struct arena *arena, const struct list *list)
{
	struct buffer out;
	struct field one;

	buffer_start(&out, arena, 64);
	buffer_add_char(&out, '{');
	if (list->count > 0)
		one = list_item_field(list->field);
	for (size_t i = 0; i < list->count; i++) {
		const struct value value = value_of_member(arena, &one, list_item(list, i));

		add_element(&out, &value);
	}
	return end_array(&out);
}

/* A member that was not given has the value its preset gave it, else none. */
static bool has_no_value(const struct bound *bound, const struct field *field)
{
	uint64_t bit = UINT64_C(1) << (field - bound->shape->fields);

	return (bound->nulls & bit) != 0 || ((bound->given & bit) == 0 && field->preset == NULL);
}

const char *array_of_members(struct arena *arena, const struct list *list, size_t offset)
{
	struct buffer out;

	buffer_start(&out, arena, list->count * 16 + 64);
	buffer_add_char(&out, '{');
	for (size_t i = 0; i < list->count; i++) {
		const void *item = list_item(list, i);
		const struct bound *bound = object_bound(item);
		const struct field *field = object_field_at(bound->shape, offset);
		struct value value = { .kind = NOTHING };

		if (!has_no_value(bound, field))
			value = value_of_member(arena, field, item);
		add_element(&out, &value);
	}
	return end_array(&out);
}
