/* args_test.c - a job's arguments: what fits, what is written, what makes two jobs one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/answer/record.h"
#include "core/jobs/args.h"

struct line {
	const char *product;
	long long count;
};
struct order {
	const char *mes, *note;
	long long size, level;
	double weight;
	bool urgent;
	const struct line *first;
	struct list lines;
};

/* clang-format off */
static const struct shape line = SHAPE(struct line,
	{ FIELD(struct line, product), .min = 1, .max = 10, .required = true },
	{ FIELD(struct line, count), .min = 1, .max = 9, .required = true });

static const struct shape order = SHAPE(struct order,
	{ FIELD_AS(struct order, mes, MONTH), .required = true },
	{ FIELD(struct order, note), .max = 5 },
	{ FIELD(struct order, size), .min = 1, .max = 9 },
	{ FIELD(struct order, level), .min = 0, .max = 9 },
	{ FIELD(struct order, weight) },
	{ FIELD(struct order, urgent) },
	{ FIELD_AS(struct order, first, OBJECT), .of = &line },
	{ FIELD_AS(struct order, lines, OBJECT), .of = &line, .many = 3 });
/* clang-format on */

static struct arena *arena;

static int begin(void **state)
{
	(void)state;
	arena = arena_new(4096);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *wrong_with(const struct order *args)
{
	const struct binder binder = { arena, NULL };

	return args_check(&binder, &order, args);
}

static const char *json_of(const struct order *args)
{
	struct buffer out;

	buffer_start(&out, arena, 64);
	record_write_sparse(&out, &order, args);
	buffer_add_char(&out, '\0');
	return out.data;
}

static void what_fits_is_taken(void **state)
{
	const struct line lines[] = { { "hay", 1 }, { "oats", 9 } };
	const struct order small = { .mes = "2025-01" };
	const struct order large = { .mes = "2025-01",
		.note = "quick",
		.size = 9,
		.level = 9,
		.weight = 0.1,
		.urgent = true,
		.first = &lines[1],
		.lines = { lines, 2, sizeof(lines[0]), NULL } };

	(void)state;
	assert_null(wrong_with(&small));
	assert_null(wrong_with(&large));
	assert_null(args_check(&(struct binder){ arena, NULL }, NULL, NULL));
}

static void what_does_not_is_named(void **state)
{
	const struct line bad[] = { { "hay", 1 }, { "straw", 10 } };

	(void)state;
	assert_string_equal(wrong_with(&(struct order){ .note = "x" }), "mes is missing");
	assert_string_equal(
	    wrong_with(&(struct order){ .mes = "2025-13" }), "mes must be a month as 2026-01");
	assert_string_equal(wrong_with(&(struct order){ .mes = "2025-01", .note = "too long" }),
	    "note must have 0 to 5 characters, not 8");
	assert_string_equal(
	    wrong_with(&(struct order){ .mes = "2025-01", .size = 10 }), "size must be 1 to 9");
	assert_string_equal(wrong_with(&(struct order){ .mes = "2025-01", .first = &bad[1] }),
	    "first count must be 1 to 9");
	assert_string_equal(wrong_with(&(struct order){
				.mes = "2025-01", .lines = { bad, 2, sizeof(bad[0]), NULL } }),
	    "lines count must be 1 to 9");
	assert_string_equal(wrong_with(&(struct order){
				.mes = "2025-01", .lines = { bad, 4, sizeof(bad[0]), NULL } }),
	    "lines must have 0 to 3 values, not 4");
}

static void what_is_not_there_is_left_out(void **state)
{
	const struct line lines[] = { { "hay", 1 }, { "o\"ts", 2 } };

	(void)state;
	assert_string_equal(json_of(&(struct order){ .mes = "2025-01" }),
	    "{\"mes\":\"2025-01\",\"level\":0,\"weight\":0,\"urgent\":false}");
	assert_string_equal(json_of(&(struct order){ .mes = "2025-01",
				.size = 3,
				.weight = 0.1,
				.urgent = true,
				.first = &lines[0],
				.lines = { lines, 2, sizeof(lines[0]), NULL } }),
	    "{\"mes\":\"2025-01\",\"size\":3,\"level\":0,\"weight\":0.1,\"urgent\":true,"
	    "\"first\":{\"product\":\"hay\",\"count\":1},"
	    "\"lines\":[{\"product\":\"hay\",\"count\":1},{\"product\":\"o\\\"ts\",\"count\":2}]}");
}

static void the_arguments_that_are_named_make_two_jobs_one(void **state)
{
	const struct order one = { .mes = "2025-01", .note = "a", .size = 1 };
	const struct order other = { .mes = "2025-01", .note = "b", .size = 1 };
	const struct order next = { .mes = "2025-02", .note = "a", .size = 1 };

	(void)state;
	assert_null(args_unique(arena, NULL, &order, &one));
	assert_string_equal(
	    args_unique(arena, "mes", &order, &one), args_unique(arena, "mes", &order, &other));
	assert_string_not_equal(
	    args_unique(arena, "mes", &order, &one), args_unique(arena, "mes", &order, &next));
	assert_string_not_equal(args_unique(arena, "mes note", &order, &one),
	    args_unique(arena, "mes note", &order, &other));
	assert_string_not_equal(
	    args_unique(arena, "*", &order, &one), args_unique(arena, "*", &order, &other));
	/* No name is found in another one's beginning. */
	assert_string_equal(args_unique(arena, "mes not", &order, &one),
	    args_unique(arena, "mes not", &order, &other));
	assert_string_equal(args_unique(arena, "", &order, &one), "{}");
}

int main(void)
{
	const struct CMUnitTest args[] = {
		cmocka_unit_test_setup_teardown(what_fits_is_taken, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_is_named, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_left_out, begin, end),
		cmocka_unit_test_setup_teardown(
		    the_arguments_that_are_named_make_two_jobs_one, begin, end),
	};

	return cmocka_run_group_tests(args, NULL, NULL);
}
