/*
 * serialize.c - rows of an answer as JSON, by their shape.
 *
 * PostgreSQL's text goes straight into the answer: numbers as they are, times
 * with a T and a Z, text escaped.  Binary results and json_agg were both slower.
 */
#include "core/answer/serialize.h"

#include "base/log.h"
#include "core/answer/json.h"
#include "core/input/instant.h"

/* --- which column is which field --- */

/* What is matched against: the rows, and what their names begin with inside an object. */
struct match {
	struct arena *arena;
	const struct rows *rows;
	const char *prefix; /* "" at the top, "regions." below */
};

/* The column NAME; the one at GUESS is looked at first.  -1: there is none. */
static int find_column(const struct rows *rows, const char *name, int guess)
{
	if (guess < rows->columns && strcmp(rows_column(rows, guess), name) == 0)
		return guess;
	for (int i = 0; i < rows->columns; i++)
		if (strcmp(rows_column(rows, i), name) == 0)
			return i;
	return -1;
}

static void match_shape(struct columns *, const struct match *, const struct shape *);

/* The fields of an object or a list of them that has no column of its own. */
static void match_fields(
    struct column *column, const struct match *match, const struct field *field)
{
	const struct match below = { match->arena, match->rows,
		arena_print(match->arena, "%s%s.", match->prefix, field->name) };

	column->fields = arena_alloc(match->arena, sizeof(*column->fields));
	match_shape(column->fields, &below, field->of);
	column->number = column->fields->of_field[0].number;
	column->many = field->many > 0;
	if (column->fields->spans_rows)
		bug("a list inside %s must be a column of type json", field->name);
}

static void match_field(
    struct column *column, const struct match *match, const struct field *field, int guess)
{
	const char *name = match->prefix[0] == '\0'
			       ? field->name
			       : arena_print(match->arena, "%s%s", match->prefix, field->name);

	column->number = find_column(match->rows, name, guess);
	column->kind = field->many > 0 ? OBJECT : field->kind;
	if (column->number < 0 && field->kind != OBJECT)
		bug("the statement has no column %s", name);
	if (column->number < 0)
		match_fields(column, match, field);
}

static void match_shape(
    struct columns *columns, const struct match *match, const struct shape *shape)
{
	columns->count = 0;
	columns->spans_rows = false;
	EACH_FIELD (field, shape) {
		struct column *column = &columns->of_field[columns->count];
		struct buffer key;

		buffer_start(&key, match->arena, 32);
		buffer_add_char(&key, columns->count == 0 ? '{' : ',');
		buffer_add_char(&key, '"');
		buffer_add_text(&key, field->name);
		buffer_add(&key, "\":", 2);
		*column = (struct column){ .key = key.data, .key_length = key.length };
		match_field(column, match, field, columns->count);
		/* Two lists from one join would hold every pair of their items. */
		if (column->many && columns->spans_rows)
			bug("%s has two lists that span rows", shape->name);
		columns->spans_rows |= column->many;
		columns->count++;
	}
}

void serialize_match(struct columns *columns, struct arena *arena, const struct shape *shape,
    const struct rows *rows)
{
	const struct match match = { arena, rows, "" };

	match_shape(columns, &match, shape);
}

/* --- values --- */

/* PostgreSQL writes numbers as JSON does, but for NaN and Infinity, which JSON has no word for. */
static void add_number(struct buffer *out, const char *text, size_t length)
{
	if (text[0] > '9' || (text[0] == '-' && text[1] > '9'))
		json_nothing(out);
	else
		buffer_add(out, text, length);
}

static void add_value(struct buffer *out, enum kind kind, const char *text, size_t length)
{
	switch (kind) {
	case BOOLEAN:
		json_boolean(out, text[0] == 't');
		break;
	case INTEGER:
		buffer_add(out, text, length);
		break;
	case NUMBER:
	case MONEY:
		add_number(out, text, length);
		break;
	case TIME:
		buffer_add_char(out, '"');
		instant_add(out, text, length);
		buffer_add_char(out, '"');
		break;
	case OBJECT:
		buffer_add(out, text, length);
		break;
	default:
		json_bytes(out, text, length);
	}
}

/* One item of each row that has one. */
static void add_rows(struct buffer *out, const struct column *list, const struct rows *rows)
{
	buffer_add_char(out, '[');
	for (int row = 0; row < rows->count; row++)
		if (rows_text(rows, row, list->number) != NULL)
			serialize_row(out, list->fields, rows, row);
	buffer_add_char(out, ']');
}

void serialize_row(
    struct buffer *out, const struct columns *columns, const struct rows *rows, int row)
{
	json_comma(out);
	for (int i = 0; i < columns->count; i++) {
		const struct column *column = &columns->of_field[i];
		const char *text = rows_text(rows, row, column->number);

		buffer_add(out, column->key, column->key_length);
		if (column->many)
			add_rows(out, column, rows);
		else if (text == NULL)
			json_nothing(out);
		else if (column->fields != NULL)
			serialize_row(out, column->fields, rows, row);
		else
			add_value(out, column->kind, text,
			    (size_t)rows_length(rows, row, column->number));
	}
	json_close(out, '}');
}
