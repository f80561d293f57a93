/* json_test.c - the writer's commas, and rows of a statement written by their shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "core/answer/json.h"
#include "core/answer/serialize.h"

static struct arena *arena;
static struct buffer out;

static int begin(void **state)
{
	(void)state;
	arena = arena_new(256);
	buffer_start(&out, arena, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void assert_written(const char *expected)
{
	buffer_add_char(&out, '\0');
	assert_string_equal(out.data, expected);
}

static void commas_stand_between_and_nowhere_else(void **state)
{
	(void)state;
	json_open(&out, '{');
	json_key_text(&out, "a", "x");
	json_key_open(&out, "b", '[');
	json_integer(&out, 1);
	json_integer(&out, -2);
	json_open(&out, '{');
	json_close(&out, '}');
	json_open(&out, '[');
	json_close(&out, ']');
	json_null(&out);
	json_close(&out, ']');
	json_key(&out, "c");
	json_boolean(&out, true);
	json_key(&out, "d");
	json_boolean(&out, false);
	json_key(&out, "e");
	json_ms(&out, 1005);
	json_close(&out, '}');
	assert_written("{\"a\":\"x\",\"b\":[1,-2,{},[],null],\"c\":true,\"d\":false,\"e\":1.005}");
}

/* The writer tells by the last byte whether a comma is due: text must not deceive it. */
static void text_that_ends_like_an_opening_needs_its_comma(void **state)
{
	(void)state;
	json_open(&out, '[');
	json_text(&out, "a{");
	json_text(&out, "b[");
	json_text(&out, "c:");
	json_text(&out, "");
	json_text(&out, NULL);
	json_integer(&out, LLONG_MIN);
	json_close(&out, ']');
	assert_written("[\"a{\",\"b[\",\"c:\",\"\",null,-9223372036854775808]");
}

static void text_is_escaped(void **state)
{
	(void)state;
	json_bytes(&out, "a\"\\\n\0\x1F\xC3\xA9", 8);
	assert_written("\"a\\\"\\\\\\n\\u0000\\u001f\xC3\xA9\"");
}

/* --- rows --- */

struct horse {
	long long id;
	const char *name, *born;
	double weight;
	bool sold;
};

/* clang-format off */
static const struct shape horse = SHAPE(struct horse,
	{ FIELD(struct horse, id) },
	{ FIELD(struct horse, name), .nullable = true },
	{ FIELD_AS(struct horse, born, TIME) },
	{ FIELD(struct horse, weight) },
	{ FIELD(struct horse, sold) });
/* clang-format on */

static void set(PGresult *result, int row, int column, const char *text)
{
	char copy[64] = "";

	if (text != NULL)
		strncpy(copy, text, sizeof(copy) - 1);
	assert_int_equal(PQsetvalue(result, row, column, text != NULL ? copy : NULL,
			     text != NULL ? (int)strlen(text) : -1),
	    1);
}

/* Two horses as a statement would give them: more columns than asked for, in another order. */
static struct rows two_horses(void)
{
	static const char *const names[] = { "version", "name", "id", "sold", "weight", "born" };
	static const char *const values[][6] = {
		{ "1", "Bru\"no\"", "7", "t", "450.50", "2020-05-01 06:00:00.5+00" },
		{ "2", NULL, "8", "f", "-1", "2021-12-31 23:59:59+00" },
	};
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[6];

	assert_non_null(result);
	for (int i = 0; i < 6; i++)
		columns[i] = (PGresAttDesc){ .name = (char *)(uintptr_t)names[i] };
	assert_int_equal(PQsetResultAttrs(result, 6, columns), 1);
	for (int row = 0; row < 2; row++)
		for (int column = 0; column < 6; column++)
			set(result, row, column, values[row][column]);
	return (struct rows){ .fate = DONE, .count = 2, .columns = 6, .result = result };
}

static void rows_are_written_by_their_shape(void **state)
{
	struct rows rows = two_horses();
	struct columns columns;

	(void)state;
	serialize_match(&columns, arena, &horse, &rows);
	json_open(&out, '[');
	serialize_row(&out, &columns, &rows, 0);
	serialize_row(&out, &columns, &rows, 1);
	json_close(&out, ']');
	assert_written("[{\"id\":7,\"name\":\"Bru\\\"no\\\"\",\"born\":\"2020-05-01T06:00:00.5Z\","
		       "\"weight\":450.50,\"sold\":true},"
		       "{\"id\":8,\"name\":null,\"born\":\"2021-12-31T23:59:59Z\","
		       "\"weight\":-1,\"sold\":false}]");
	rows_free(&rows);
	assert_null(rows.result);
	rows_free(&rows);
}

int main(void)
{
	const struct CMUnitTest json[] = {
		cmocka_unit_test_setup_teardown(commas_stand_between_and_nowhere_else, begin, end),
		cmocka_unit_test_setup_teardown(
		    text_that_ends_like_an_opening_needs_its_comma, begin, end),
		cmocka_unit_test_setup_teardown(text_is_escaped, begin, end),
		cmocka_unit_test_setup_teardown(rows_are_written_by_their_shape, begin, end),
	};

	return cmocka_run_group_tests(json, NULL, NULL);
}
