/* line_test.c - a line of a file is checked as a request is, and written as COPY reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

struct thing {
	const char *name, *price;
	long long count;
	bool sold;
};

/* clang-format off */
static const struct shape thing = SHAPE(struct thing,
	{ FIELD(struct thing, name), .required = true, .max = 5 },
	{ FIELD_AS(struct thing, price, MONEY) },
	{ FIELD(struct thing, count), .required = true, .min = 1, .max = 9 },
	{ FIELD(struct thing, sold) });
/* clang-format on */

static const char *bind(
    struct arena *arena, struct thing *into, size_t count, const char *const *values)
{
	*into = (struct thing){ 0 };
	return line_bind(arena, &thing, values, count, into);
}
#define BIND(...)                                                                    \
	bind(arena, &made, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), \
	    (const char *[]){ __VA_ARGS__ })

static void values_become_a_struct_in_the_order_of_the_shape(void **state)
{
	struct arena *arena = arena_new(4096);
	struct thing made;

	(void)state;
	assert_null(BIND("chair", "12.50", "3", "true"));
	assert_string_equal(made.name, "chair");
	assert_string_equal(made.price, "12.50");
	assert_int_equal(made.count, 3);
	assert_true(made.sold);
	assert_null(BIND("a", "", "1")); /* what is not required may be empty, or not there */
	assert_null(made.price);
	arena_free(&arena);
}

static void all_that_is_wrong_is_said_at_once(void **state)
{
	struct arena *arena = arena_new(4096);
	struct thing made;

	(void)state;
	assert_string_equal(BIND("", "x", "10"),
	    "name is missing; price must be an amount with at most two "
	    "decimals, as 12.50; count must be 1 to 9");
	assert_string_equal(BIND("a"), "count is missing");
	assert_string_equal(BIND("a", "1", "1", "true", "more"), "has 5 fields, not 4");
	arena_free(&arena);
}

static void copy_escapes_what_counts_there(void **state)
{
	struct arena *arena = arena_new(4096);
	struct buffer rows;

	(void)state;
	buffer_start(&rows, arena, 8);
	copy_add(&rows, "plain", true);
	copy_add(&rows, "", false);
	copy_add(&rows, "\\.", false);
	copy_add(&rows, "a\tb\nc\rd\\", false);
	copy_end_row(&rows);
	buffer_add_char(&rows, '\0');
	assert_string_equal(rows.data, "plain\t\t\\\\.\ta\\tb\\nc\\rd\\\\\n");
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_a_struct_in_the_order_of_the_shape),
		cmocka_unit_test(all_that_is_wrong_is_said_at_once),
		cmocka_unit_test(copy_escapes_what_counts_there),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
