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

static int find_column(const struct rows *rows, const char *name, int guess)
{
	if (guess < rows->columns && strcmp(rows_column(rows, guess), name) == 0)
		return guess;
	for (int i = 0; i < rows->columns; i++)
		if (strcmp(rows_column(rows, i), name) == 0)
			return i;
	bug("the statement has no column %s", name);
}

void serialize_match(struct columns *columns, struct arena *arena, const struct shape *shape,
    const struct rows *rows)
{
	columns->count = 0;
	EACH_FIELD (field, shape) {
		struct buffer key;

		buffer_start(&key, arena, 32);
		buffer_add_char(&key, columns->count == 0 ? '{' : ',');
		buffer_add_char(&key, '"');
		buffer_add_text(&key, field->name);
		buffer_add(&key, "\":", 2);
		columns->of_field[columns->count] = (struct column){ find_column(rows, field->name,
									 columns->count),
			field->kind, key.data, key.length };
		columns->count++;
	}
}

static void add_value(struct buffer *out, enum kind kind, const char *text, size_t length)
{
	switch (kind) {
	case BOOLEAN:
		json_boolean(out, text[0] == 't');
		break;
	case INTEGER:
	case NUMBER:
	case MONEY:
		/* PostgreSQL writes numbers as JSON does. */
		buffer_add(out, text, length);
		break;
	case TIME:
		buffer_add_char(out, '"');
		instant_add(out, text, length);
		buffer_add_char(out, '"');
		break;
	default:
		json_bytes(out, text, length);
	}
}

void serialize_row(
    struct buffer *out, const struct columns *columns, const struct rows *rows, int row)
{
	json_comma(out);
	for (int i = 0; i < columns->count; i++) {
		const struct column *column = &columns->of_field[i];
		const char *text = rows_text(rows, row, column->number);

		buffer_add(out, column->key, column->key_length);
		if (text == NULL)
			json_null(out);
		else
			add_value(out, column->kind, text,
			    (size_t)rows_length(rows, row, column->number));
	}
	json_close(out, '}');
}
