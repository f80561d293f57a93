/*
 * record.c - a C struct as JSON, by its shape.
 *
 * For answers that come from no table: the same shape that would name a
 * statement's columns says where in the struct each value stands.  Rows do not
 * take this way (serialize.c): their text is JSON nearly as it is, and turning
 * it into C's types and back would cost more than the rest of the answer.
 */
#include "core/answer/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/answer/json.h"
#include "core/input/cursor.h"

/* The shortest text that reads back as the same number: 0.1, not 0.10000000000000001. */
static void add_number(struct buffer *out, double number)
{
	char text[32];

	if (!isfinite(number)) {
		json_null(out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	json_raw(out, text, strlen(text));
}

/* Decimal text with two decimals is a JSON number as it stands. */
static void add_money(struct buffer *out, const char *text)
{
	if (text != NULL)
		json_raw(out, text, strlen(text));
	else
		json_null(out);
}

static void add_cursor(struct buffer *out, const struct cursor *cursor)
{
	json_text(out, cursor->time != NULL ? cursor_encode(out->arena, cursor) : NULL);
}

static void add_value(struct buffer *out, enum kind kind, const void *place)
{
	switch (kind) {
	case INTEGER:
		json_integer(out, *(const long long *)place);
		break;
	case NUMBER:
		add_number(out, *(const double *)place);
		break;
	case BOOLEAN:
		json_boolean(out, *(const bool *)place);
		break;
	case CURSOR:
		add_cursor(out, place);
		break;
	case MONEY:
		add_money(out, *(const char *const *)place);
		break;
	default:
		json_text(out, *(const char *const *)place);
	}
}

/* An object stands behind a pointer; as a list's item, in its place. */
static void add_object(struct buffer *out, const struct field *field, const void *object)
{
	if (object != NULL)
		record_write(out, field->of, object);
	else
		json_null(out);
}

static void add_list(struct buffer *out, const struct field *field, const struct list *list)
{
	json_open(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (field->kind == OBJECT)
			add_object(out, field, list_item(list, i));
		else
			add_value(out, field->kind, list_item(list, i));
	}
	json_close(out, ']');
}

void record_write(struct buffer *out, const struct shape *shape, const void *record)
{
	json_open(out, '{');
	EACH_FIELD (field, shape) {
		const void *place = (const char *)record + field->offset;

		json_key(out, field->name);
		if (field->many > 0)
			add_list(out, field, place);
		else if (field->kind == OBJECT)
			add_object(out, field, *(const void *const *)place);
		else
			add_value(out, field->kind, place);
	}
	json_close(out, '}');
}
