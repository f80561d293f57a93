/* recent_test.c - the ring of printed lines: the newest are kept, whole and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/output/recent.h"

/* Adds a line whose text tells its number and fills LENGTH bytes. */
static void add(size_t length)
{
	static char text[8192];
	struct recent_line line = { .pool = "web", .slot = 1, .pid = 42, .length = length };
	int told = snprintf(text, sizeof(text), "%llu", recent_newest() + 1);

	for (size_t i = (size_t)told; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	recent_add(&line, text);
}

/* Every line that is kept must tell its own number and have all of its text.  Returns how many. */
static unsigned long long check_all(void)
{
	unsigned long long count = 0, number = 0;
	const struct recent_line *line;
	const char *text;

	while ((line = recent_from(number + 1, &text)) != NULL) {
		char told[32];
		int length = snprintf(told, sizeof(told), "%llu", line->number);

		if (number != 0)
			assert_int_equal(line->number, number + 1);
		number = line->number;
		assert_true(line->length >= (size_t)length);
		assert_memory_equal(text, told, (size_t)length);
		for (size_t i = (size_t)length; i < line->length; i++)
			if (text[i] != (char)('a' + i % 26))
				fail_msg("byte %zu of line %llu is wrong", i, number);
		count++;
	}
	assert_int_equal(number, recent_newest());
	return count;
}

static void nothing_is_there_at_first(void **state)
{
	const char *text;

	(void)state;
	assert_int_equal(recent_newest(), 0);
	assert_null(recent_from(0, &text));
}

static void what_fits_is_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		add(100);
	assert_int_equal(check_all(), 100);
}

static void the_oldest_give_way_whatever_their_length(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		add(8 + random % (i % 3 == 0 ? 4089 : 60));
		if (i % 500 == 0)
			assert_in_range(check_all(), 30, 4096);
	}
}

static void many_short_lines_are_limited_by_number(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++)
		add(8);
	assert_in_range(check_all(), 1000, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_there_at_first),
		cmocka_unit_test(what_fits_is_kept),
		cmocka_unit_test(the_oldest_give_way_whatever_their_length),
		cmocka_unit_test(many_short_lines_are_limited_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
