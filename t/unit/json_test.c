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
#include "core/answer/record.h"
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
	json_number(&out, 1);
	json_number(&out, -2);
	json_open(&out, '{');
	json_close(&out, '}');
	json_open(&out, '[');
	json_close(&out, ']');
	json_nothing(&out);
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
	json_number(&out, LLONG_MIN);
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

#define COLUMNS_MOST 6

/* COUNT rows as a statement would give them. */
static struct rows rows_of(
    const char *const names[COLUMNS_MOST], const char *const values[][COLUMNS_MOST], int count)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc attributes[COLUMNS_MOST];
	int columns = 0;

	assert_non_null(result);
	for (; columns < COLUMNS_MOST && names[columns] != NULL; columns++)
		attributes[columns] = (PGresAttDesc){ .name = (char *)(uintptr_t)names[columns] };
	assert_int_equal(PQsetResultAttrs(result, columns, attributes), 1);
	for (int row = 0; row < count; row++)
		for (int column = 0; column < columns; column++)
			set(result, row, column, values[row][column]);
	return (struct rows){ .fate = DONE, .count = count, .columns = columns, .result = result };
}

/* Two horses, with more columns than asked for, in another order. */
static struct rows two_horses(void)
{
	static const char *const names[] = { "version", "name", "id", "sold", "weight", "born" };
	static const char *const values[][COLUMNS_MOST] = {
		{ "1", "Bru\"no\"", "7", "t", "450.50", "2020-05-01 06:00:00.5+00" },
		{ "2", NULL, "8", "f", "-1", "2021-12-31 23:59:59+00" },
	};

	return rows_of(names, values, 2);
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

/* --- objects and lists --- */

struct region {
	const char *region, *total;
};
struct report {
	const char *mes, *total;
	struct list regions, words;
	const struct region *best;
};

/* clang-format off */
static const struct shape region = SHAPE(struct region,
	{ FIELD(struct region, region) },
	{ FIELD_AS(struct region, total, MONEY) });
static const struct shape report = SHAPE(struct report,
	{ FIELD_AS(struct report, mes, MONTH) },
	{ FIELD_AS(struct report, total, MONEY) },
	{ FIELD_AS(struct report, regions, OBJECT), .of = &region, .many = 1 });
static const struct shape best = SHAPE(struct report,
	{ FIELD_AS(struct report, mes, MONTH) },
	{ FIELD_AS(struct report, words, TEXT), .many = 1 },
	{ FIELD_AS(struct report, best, OBJECT), .of = &region, .nullable = true });
/* clang-format on */

static void write_rows(const struct shape *shape, struct rows rows, int row)
{
	struct columns columns;

	out.length = 0;
	serialize_match(&columns, arena, shape, &rows);
	serialize_row(&out, &columns, &rows, row);
	rows_free(&rows);
}

static void a_list_may_span_all_rows(void **state)
{
	static const char *const names[COLUMNS_MOST] = { "regions.total", "mes", "total",
		"regions.region" };
	static const char *const values[][COLUMNS_MOST] = {
		{ "1.50", "2026-01", "3.75", "North" },
		{ "2.25", "2026-01", "3.75", "South" },
	};
	static const char *const none[][COLUMNS_MOST] = { { NULL, "2026-02", "0.00", NULL } };

	(void)state;
	write_rows(&report, rows_of(names, values, 2), 0);
	assert_written("{\"mes\":\"2026-01\",\"total\":3.75,\"regions\":["
		       "{\"region\":\"North\",\"total\":1.50},"
		       "{\"region\":\"South\",\"total\":2.25}]}");
	write_rows(&report, rows_of(names, none, 1), 0);
	assert_written("{\"mes\":\"2026-02\",\"total\":0.00,\"regions\":[]}");
}

static void an_object_may_be_columns_or_one_of_json(void **state)
{
	static const char *const names[COLUMNS_MOST] = { "mes", "best.region", "best.total",
		"words" };
	static const char *const values[][COLUMNS_MOST] = {
		{ "2026-01", "North", "1.50", "[\"a\", \"b\"]" },
		{ "2026-02", NULL, NULL, "[]" },
	};
	static const char *const json_names[COLUMNS_MOST] = { "best", "words", "mes" };
	static const char *const json[][COLUMNS_MOST] = {
		{ "{\"region\": \"x\", \"total\": 1}", "[]", "2026-03" },
	};

	(void)state;
	write_rows(&best, rows_of(names, values, 2), 0);
	assert_written("{\"mes\":\"2026-01\",\"words\":[\"a\", \"b\"],"
		       "\"best\":{\"region\":\"North\",\"total\":1.50}}");
	write_rows(&best, rows_of(names, values, 2), 1);
	assert_written("{\"mes\":\"2026-02\",\"words\":[],\"best\":null}");
	write_rows(&best, rows_of(json_names, json, 1), 0);
	assert_written("{\"mes\":\"2026-03\",\"words\":[],"
		       "\"best\":{\"region\": \"x\", \"total\": 1}}");
}

static void numbers_that_json_cannot_write_are_null(void **state)
{
	static const char *const names[COLUMNS_MOST] = { "total", "region" };
	static const char *const values[][COLUMNS_MOST] = { { "NaN", "a" }, { "-Infinity", "b" },
		{ "Infinity", "c" }, { "1e+20", "d" }, { "-5", "e" } };
	static const char *const written[] = { "null", "null", "null", "1e+20", "-5" };

	(void)state;
	for (int i = 0; i < 5; i++) {
		write_rows(&region, rows_of(names, values, 5), i);
		assert_written(arena_print(
		    arena, "{\"region\":\"%s\",\"total\":%s}", values[i][1], written[i]));
	}
}

static void a_struct_is_written_by_the_same_shape(void **state)
{
	static const struct region regions[] = { { "North", "1.50" }, { NULL, "2.25" } };
	static const char *const words[] = { "a", "b" };
	const struct report full = { .mes = "2026-01",
		.total = "3.75",
		.regions = LIST_OF(regions, 2),
		.words = LIST_OF(words, 2),
		.best = &regions[0] };
	const struct report empty = { .mes = "2026-02" };

	(void)state;
	record_write(&out, &report, &full);
	assert_written("{\"mes\":\"2026-01\",\"total\":3.75,\"regions\":["
		       "{\"region\":\"North\",\"total\":1.50},{\"region\":null,\"total\":2.25}]}");
	out.length = 0;
	record_write(&out, &best, &full);
	assert_written("{\"mes\":\"2026-01\",\"words\":[\"a\",\"b\"],"
		       "\"best\":{\"region\":\"North\",\"total\":1.50}}");
	out.length = 0;
	record_write(&out, &best, &empty);
	assert_written("{\"mes\":\"2026-02\",\"words\":[],\"best\":null}");
}

int main(void)
{
	const struct CMUnitTest json[] = {
		cmocka_unit_test_setup_teardown(commas_stand_between_and_nowhere_else, begin, end),
		cmocka_unit_test_setup_teardown(
		    text_that_ends_like_an_opening_needs_its_comma, begin, end),
		cmocka_unit_test_setup_teardown(text_is_escaped, begin, end),
		cmocka_unit_test_setup_teardown(rows_are_written_by_their_shape, begin, end),
		cmocka_unit_test_setup_teardown(a_list_may_span_all_rows, begin, end),
		cmocka_unit_test_setup_teardown(
		    an_object_may_be_columns_or_one_of_json, begin, end),
		cmocka_unit_test_setup_teardown(
		    numbers_that_json_cannot_write_are_null, begin, end),
		cmocka_unit_test_setup_teardown(a_struct_is_written_by_the_same_shape, begin, end),
	};

	return cmocka_run_group_tests(json, NULL, NULL);
}
