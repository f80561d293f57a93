/*
 * serialize.c - rows of an answer as JSON, by their shape.
 *
 * PostgreSQL's text goes straight into the answer: numbers as they are, times
 * with a T and a Z, text escaped.  Binary results and json_agg were both slower.
 */
#include "core/serialize.h"

#include "base/log.h"
#include "core/instant.h"
#include "core/json.h"

static int find_column(const struct rows *rows, const char *name, int guess)
{
	if (guess < rows->columns && strcmp(rows_column(rows, guess), name) == 0)
		return guess;
	for (int i = 0; i < rows->columns; i++)
		if (strcmp(rows_column(rows, i), name) == 0)
			return i;
	bug("the statement has no column %s", name);
}

void serialize_match(struct columns *columns, const struct shape *shape, const struct rows *rows)
{
	int number = 0;

	columns->shape = shape;
	for
		EACH_FIELD(field, shape)
		{
			columns->of_field[number] = find_column(rows, field->name, number);
			number++;
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
	int number = 0;

	json_open(out, '{');
	for
		EACH_FIELD(field, columns->shape)
		{
			int column = columns->of_field[number++];
			const char *text = rows_text(rows, row, column);

			json_key(out, field->name);
			if (text == NULL)
				json_null(out);
			else
				add_value(
				    out, field->kind, text, (size_t)rows_length(rows, row, column));
		}
	json_close(out, '}');
}
