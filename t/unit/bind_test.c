/* bind_test.c - values against a field: every kind, from text and from JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/input/bind.h"

struct order {
	const char *name, *colour, *at, *day, *month, *key, *email, *home, *price;
	long long count;
	double weight;
	bool paid;
	struct cursor after;
};

static const char *const colours[] = { "red", "green", NULL };

/* clang-format off */
static const struct field
	name   = { FIELD(struct order, name), .min = 1, .max = 5 },
	colour = { FIELD(struct order, colour), .one_of = colours },
	at     = { FIELD_AS(struct order, at, TIME) },
	day    = { FIELD_AS(struct order, day, DATE) },
	month  = { FIELD_AS(struct order, month, MONTH) },
	key    = { FIELD_AS(struct order, key, UUID) },
	email  = { FIELD_AS(struct order, email, EMAIL), .max = 9 },
	home   = { FIELD_AS(struct order, home, URL) },
	price  = { FIELD_AS(struct order, price, MONEY), .min = -1, .max = 100 },
	count  = { FIELD(struct order, count), .min = 1, .max = 200 },
	free_count = { FIELD(struct order, count) },
	weight = { FIELD(struct order, weight), .min = -1, .max = 10 },
	paid   = { FIELD(struct order, paid) },
	after  = { FIELD(struct order, after) };
/* clang-format on */

static struct arena *arena;
static struct binder binder;
static struct order order;

static int begin(void **state)
{
	(void)state;
	arena = arena_new(4096);
	binder.arena = arena;
	memset(&order, 0, sizeof(order));
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *from_text(const struct field *field, const char *text)
{
	return bind_from_text(&binder, field, text, &order);
}

static void text_is_measured_in_code_points(void **state)
{
	(void)state;
	assert_null(from_text(&name, "caf\xC3\xA9s"));
	assert_string_equal(order.name, "caf\xC3\xA9s");
	assert_null(from_text(&name, "\xF0\x9F\x90\xB4\xF0\x9F\x90\xB4\xF0\x9F\x90\xB4"
				     "\xF0\x9F\x90\xB4\xF0\x9F\x90\xB4"));
	assert_string_equal(from_text(&name, "horses"), "must have 1 to 5 characters, not 6");
	assert_string_equal(from_text(&name, "caf\xC3"), "must be valid UTF-8");
}

static void text_that_must_be_there_must_not_be_blank(void **state)
{
	(void)state;
	assert_string_equal(from_text(&name, ""), "must not be blank");
	assert_string_equal(from_text(&name, " \t\r\n"), "must not be blank");
	assert_null(order.name);
	assert_null(from_text(&colour, "red"));
}

static void text_may_be_one_of_a_list(void **state)
{
	(void)state;
	assert_null(from_text(&colour, "green"));
	assert_string_equal(order.colour, "green");
	assert_string_equal(from_text(&colour, "Green"), "must be one of red, green");
	assert_string_equal(from_text(&colour, ""), "must be one of red, green");
}

static void whole_numbers_have_a_range(void **state)
{
	static const char *const wrong[] = { "", "x", "1.0", "1e2", " 1", "+1", "0x10",
		"12345678901234567890" };

	(void)state;
	assert_null(from_text(&count, "1"));
	assert_null(from_text(&count, "200"));
	assert_int_equal(order.count, 200);
	assert_string_equal(from_text(&count, "0"), "must be 1 to 200");
	assert_string_equal(from_text(&count, "201"), "must be 1 to 200");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(
		    from_text(&count, wrong[i]), "must be a whole number of at most 64 bits");
	assert_int_equal(order.count, 200);
	assert_null(from_text(&free_count, "-9223372036854775808"));
	assert_int_equal(order.count, LLONG_MIN);
}

static void numbers_are_finite_and_in_range(void **state)
{
	static const char *const wrong[] = { "", "x", "nan", "inf", "1e999", "0x1p3", "1,5", " 1",
		"1 ", "--1", "1e", "." };

	(void)state;
	assert_null(from_text(&weight, "1.5"));
	assert_float_equal(order.weight, 1.5, 0);
	assert_null(from_text(&weight, "-1"));
	assert_null(from_text(&weight, "1e1"));
	assert_float_equal(order.weight, 10, 0);
	assert_string_equal(from_text(&weight, "10.01"), "must be -1 to 10");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(from_text(&weight, wrong[i]), "must be a number");
}

static void booleans_are_two_words(void **state)
{
	static const char *const wrong[] = { "", "1", "yes", "True", "TRUE", "true " };

	(void)state;
	assert_null(from_text(&paid, "true"));
	assert_true(order.paid);
	assert_null(from_text(&paid, "false"));
	assert_false(order.paid);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(from_text(&paid, wrong[i]), "must be true or false");
}

static void times_and_cursors_are_checked(void **state)
{
	(void)state;
	assert_null(from_text(&at, "2026-01-31T23:59:59Z"));
	assert_string_equal(order.at, "2026-01-31T23:59:59Z");
	assert_string_equal(
	    from_text(&at, "today"), "must be a time as 2026-01-31T23:59:59Z (RFC 3339)");
	assert_null(from_text(&after, "MjAyNi0wMS0zMVQyMzo1OTo1OVovNw"));
	assert_string_equal(order.after.time, "2026-01-31T23:59:59Z");
	assert_int_equal(order.after.id, 7);
	assert_string_equal(from_text(&after, "7"), "must be the cursor of a page's \"next\"");
}

static void texts_of_a_form_are_stored_in_one_spelling(void **state)
{
	(void)state;
	assert_null(from_text(&at, "2026-01-31T23:59:59"));
	assert_string_equal(order.at, "2026-01-31T23:59:59Z");
	assert_null(from_text(&day, "2026-01-31"));
	assert_string_equal(from_text(&day, "31.1.2026"), "must be a day as 2026-01-31");
	assert_string_equal(order.day, "2026-01-31");
	assert_null(from_text(&month, "2026-01"));
	assert_string_equal(from_text(&month, "2026-01-31"), "must be a month as 2026-01");
	assert_null(from_text(&key, "123E4567-E89B-12D3-A456-426614174000"));
	assert_string_equal(order.key, "123e4567-e89b-12d3-a456-426614174000");
	assert_null(from_text(&email, "Ana@b.org"));
	assert_string_equal(order.email, "Ana@b.org");
	assert_string_equal(from_text(&email, "ana"), "must be an e-mail address");
	assert_string_equal(from_text(&email, "ana@bc.org"), "must have 0 to 9 characters, not 10");
	assert_null(from_text(&home, "https://example.org"));
	assert_string_equal(
	    from_text(&home, "javascript:alert(1)"), "must be an http or https URL");
}

static void money_keeps_its_decimals(void **state)
{
	(void)state;
	assert_null(from_text(&price, "12.5"));
	assert_string_equal(order.price, "12.50");
	assert_null(from_text(&price, "100"));
	assert_null(from_text(&price, "-1.00"));
	assert_string_equal(from_text(&price, "100.01"), "must be -1 to 100");
	assert_string_equal(from_text(&price, "-1.01"), "must be -1 to 100");
	assert_string_equal(
	    from_text(&price, "1.234"), "must be an amount with at most two decimals, as 12.50");
	assert_string_equal(order.price, "-1.00");
	assert_string_equal(bind_text(&binder, &price, "1", 1, &order),
	    "must be an amount with at most two decimals, as 12.50");
}

static void json_values_must_have_the_kind_of_their_field(void **state)
{
	(void)state;
	assert_null(bind_text(&binder, &name, "ann", 3, &order));
	assert_null(bind_integer(&binder, &count, 7, &order));
	assert_null(bind_integer(&binder, &weight, 7, &order));
	assert_float_equal(order.weight, 7, 0);
	assert_null(bind_digits(&binder, &weight, "0.5", &order));
	assert_null(bind_boolean(&paid, true, &order));
	assert_string_equal(bind_text(&binder, &count, "7", 1, &order),
	    "must be a whole number of at most 64 bits");
	assert_string_equal(bind_text(&binder, &paid, "true", 4, &order), "must be true or false");
	assert_string_equal(bind_integer(&binder, &name, 7, &order), "must be text");
	assert_string_equal(bind_integer(&binder, &paid, 1, &order), "must be true or false");
	assert_string_equal(bind_digits(&binder, &count, "7.0", &order),
	    "must be a whole number of at most 64 bits");
	assert_string_equal(bind_digits(&binder, &weight, "1e999", &order), "must be a number");
	assert_string_equal(bind_boolean(&name, true, &order), "must be text");
	assert_string_equal(order.name, "ann");
	assert_int_equal(order.count, 7);
}

int main(void)
{
	const struct CMUnitTest bind[] = {
		cmocka_unit_test_setup_teardown(text_is_measured_in_code_points, begin, end),
		cmocka_unit_test_setup_teardown(
		    text_that_must_be_there_must_not_be_blank, begin, end),
		cmocka_unit_test_setup_teardown(text_may_be_one_of_a_list, begin, end),
		cmocka_unit_test_setup_teardown(whole_numbers_have_a_range, begin, end),
		cmocka_unit_test_setup_teardown(numbers_are_finite_and_in_range, begin, end),
		cmocka_unit_test_setup_teardown(booleans_are_two_words, begin, end),
		cmocka_unit_test_setup_teardown(times_and_cursors_are_checked, begin, end),
		cmocka_unit_test_setup_teardown(
		    texts_of_a_form_are_stored_in_one_spelling, begin, end),
		cmocka_unit_test_setup_teardown(money_keeps_its_decimals, begin, end),
		cmocka_unit_test_setup_teardown(
		    json_values_must_have_the_kind_of_their_field, begin, end),
	};

	return cmocka_run_group_tests(bind, NULL, NULL);
}
