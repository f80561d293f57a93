/* clock_test.c - times for people, and the milliseconds that are left until a deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/clock.h"

static void times_are_rfc_3339_in_utc(void **state)
{
	static const struct {
		int64_t wall;
		const char *text;
	} times[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ INT64_C(1769903999123456), "2026-01-31T23:59:59.123Z" },
		{ INT64_C(1709164800000999), "2024-02-29T00:00:00.000Z" },
		{ INT64_C(253402300799999999), "9999-12-31T23:59:59.999Z" },
	};
	char text[CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++)
		assert_string_equal(clock_rfc3339(text, times[i].wall), times[i].text);
}

static void the_clock_of_deadlines_never_goes_back(void **state)
{
	int64_t before = clock_now();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now();

		assert_true(now >= before);
		before = now;
	}
	assert_true(clock_wall() > INT64_C(1600000000) * SECOND_US);
}

static void what_is_left_is_rounded_up_and_never_negative(void **state)
{
	int left;

	(void)state;
	assert_int_equal(clock_ms_until(0), 0);
	assert_int_equal(clock_ms_until(clock_now() - 1), 0);
	assert_int_equal(clock_ms_until(INT64_MAX), INT_MAX);
	left = clock_ms_until(clock_now() + 3600 * SECOND_US);
	assert_true(left > 3590000 && left <= 3600000);
	/* A wait of 0 ms before the deadline would spin. */
	for (int64_t deadline = clock_now() + 2000; clock_now() < deadline;) {
		left = clock_ms_until(deadline);
		assert_true(left > 0 || clock_now() >= deadline);
	}
}

int main(void)
{
	const struct CMUnitTest clock[] = {
		cmocka_unit_test(times_are_rfc_3339_in_utc),
		cmocka_unit_test(the_clock_of_deadlines_never_goes_back),
		cmocka_unit_test(what_is_left_is_rounded_up_and_never_negative),
	};

	return cmocka_run_group_tests(clock, NULL, NULL);
}
