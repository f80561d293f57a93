/* histogram_test.c - every time has its bucket, near enough, and quantiles are what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/histogram.h"

#define LONGEST (UINT64_C(1) << 30)

static void buckets_follow_each_other_without_gaps(void **state)
{
	(void)state;
	assert_int_equal(histogram_start(0), 0);
	assert_int_equal(histogram_start(HISTOGRAM_BUCKETS), LONGEST);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		assert_true(histogram_start(i) < histogram_start(i + 1));
		assert_int_equal(histogram_bucket(histogram_start(i)), i);
		assert_int_equal(histogram_bucket(histogram_start(i + 1) - 1), i);
	}
}

static void what_is_too_long_goes_into_the_last(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(LONGEST - 1), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(LONGEST), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

/* One value alone must be told to within 1.6 %, wherever in its bucket it lies. */
static void check_error(uint64_t value)
{
	uint64_t bucket[HISTOGRAM_BUCKETS] = { 0 };
	double told, error;

	bucket[histogram_bucket(value)] = 1;
	told = histogram_quantile(bucket, 0.5);
	error = told > (double)value ? told - (double)value : (double)value - told;
	assert_true(error <= (double)value / 64);
}

static void the_error_is_bounded_at_every_edge_and_between(void **state)
{
	uint64_t any = 12345;

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		check_error(histogram_start(i));
		check_error(histogram_start(i + 1) - 1);
	}
	for (int i = 0; i < 20000; i++) {
		any = any * UINT64_C(6364136223846793005) + 1442695040888963407U;
		check_error((any >> 20) % LONGEST);
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Against the same quantiles of the sorted list itself. */
static void quantiles_are_those_of_the_sorted_list(void **state)
{
	enum { COUNTED = 9999 };
	static const double parts[] = { 0.01, 0.5, 0.95, 0.99, 0.999 };
	static uint64_t list[COUNTED];
	uint64_t bucket[HISTOGRAM_BUCKETS] = { 0 };
	uint64_t any = 99;

	(void)state;
	for (int i = 0; i < COUNTED; i++) {
		any = any * UINT64_C(6364136223846793005) + 1442695040888963407U;
		list[i] = (any >> 33) % (UINT64_C(1) << (any >> 60 << 1)); /* small ones, too */
		bucket[histogram_bucket(list[i])]++;
	}
	qsort(list, COUNTED, sizeof(list[0]), by_size);
	assert_int_equal(histogram_count(bucket), COUNTED);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t place = (size_t)(parts[i] * COUNTED);
		double told = histogram_quantile(bucket, parts[i]);

		assert_true(told >= (double)list[place] * (1 - 1.0 / 64));
		assert_true(told <= (double)list[place] * (1 + 1.0 / 64));
	}
}

static void nothing_measured_is_nought(void **state)
{
	uint64_t bucket[HISTOGRAM_BUCKETS] = { 0 };

	(void)state;
	assert_int_equal(histogram_count(bucket), 0);
	assert_true(histogram_quantile(bucket, 0.99) <= 0);
}

static void what_is_below_a_power_of_two_is_exact(void **state)
{
	uint64_t bucket[HISTOGRAM_BUCKETS] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 5000; i++)
		bucket[histogram_bucket(i)]++;
	for (uint64_t limit = 1; limit <= 4096; limit *= 2)
		assert_int_equal(histogram_below(bucket, limit), limit);
	assert_int_equal(histogram_below(bucket, 0), 0);
	assert_int_equal(histogram_below(bucket, LONGEST), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_each_other_without_gaps),
		cmocka_unit_test(what_is_too_long_goes_into_the_last),
		cmocka_unit_test(the_error_is_bounded_at_every_edge_and_between),
		cmocka_unit_test(quantiles_are_those_of_the_sorted_list),
		cmocka_unit_test(nothing_measured_is_nought),
		cmocka_unit_test(what_is_below_a_power_of_two_is_exact),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
