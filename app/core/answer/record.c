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
		json_nothing(out);
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
		json_nothing(out);
}

static void add_cursor(struct buffer *out, const struct cursor *cursor)
{
	json_text(out, cursor->time != NULL ? cursor_encode(out->arena, cursor) : NULL);
}

static void add_value(struct buffer *out, enum kind kind, const void *place)
{
	switch (kind) {
	case INTEGER:
		json_number(out, *(const long long *)place);
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

/* --- objects and lists --- */

static const void *place_of(const struct field *field, const void *record)
{
	return (const char *)record + field->offset;
}

static bool zero_is_a_value(const struct field *field)
{
	return field->required ||
	       (field->min <= 0 && (field->max >= 0 || field->min == field->max));
}

bool record_has(const struct field *field, const void *record)
{
	const void *place = place_of(field, record);

	if (field->many > 0)
		return field->required || ((const struct list *)place)->count > 0;
	switch (field->kind) {
	case INTEGER:
		return *(const long long *)place != 0 || zero_is_a_value(field);
	case NUMBER:
		return *(const double *)place != 0 || zero_is_a_value(field);
	case BOOLEAN:
		return true;
	case CURSOR:
		return ((const struct cursor *)place)->time != NULL;
	default:
		return *(const void *const *)place != NULL;
	}
}

typedef void write_fn(struct buffer *, const struct shape *, const void *record);

/* An object stands behind a pointer; as a list's item, in its place.  WRITE writes it. */
static void add_object(
    struct buffer *out, const struct field *field, const void *object, write_fn *write)
{
	if (object != NULL)
		write(out, field->of, object);
	else
		json_nothing(out);
}

static void add_list(
    struct buffer *out, const struct field *field, const struct list *list, write_fn *write)
{
	json_open(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (field->kind == OBJECT)
			add_object(out, field, list_item(list, i), write);
		else
			add_value(out, field->kind, list_item(list, i));
	}
	json_close(out, ']');
}

static void add_member(
    struct buffer *out, const struct field *field, const void *record, write_fn *write)
{
	const void *place = place_of(field, record);

	json_key(out, field->name);
	if (field->many > 0)
		add_list(out, field, place, write);
	else if (field->kind == OBJECT)
		add_object(out, field, *(const void *const *)place, write);
	else
		add_value(out, field->kind, place);
}

void record_write(struct buffer *out, const struct shape *shape, const void *record)
{
	json_open(out, '{');
	EACH_FIELD (field, shape)
		add_member(out, field, record, record_write);
	json_close(out, '}');
}

void record_write_member(struct buffer *out, const struct field *field, const void *record)
{
	add_member(out, field, record, record_write_sparse);
}

void record_write_sparse(struct buffer *out, const struct shape *shape, const void *record)
{
	json_open(out, '{');
	EACH_FIELD (field, shape)
		if (record_has(field, record))
			record_write_member(out, field, record);
	json_close(out, '}');
}
