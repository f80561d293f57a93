/* pace_test.c - batches grow for quick jobs alone; what failed waits longer each time, never in
 * step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/jobs/pace.h"

static long long grown(int64_t mean_us, long long most)
{
	long long batch = 1;

	for (int i = 0; i < 20; i++)
		batch = pace_batch(mean_us, batch, most);
	return batch;
}

static void quick_jobs_are_claimed_by_many(void **state)
{
	(void)state;
	assert_int_equal(grown(10, 100), 100);
	assert_int_equal(grown(1000, 100), 100);
	assert_int_equal(grown(2000, 100), 50);
	assert_int_equal(grown(10, 1), 1);
}

static void slow_and_unknown_ones_go_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(grown(0, 100), 1);
	assert_int_equal(grown(5000, 100), 1);
	assert_int_equal(grown(1000000, 100), 1);
	assert_int_equal(pace_batch(20000, 100, 100), 1);
}

static void a_batch_grows_by_doubling(void **state)
{
	(void)state;
	assert_int_equal(pace_batch(10, 1, 100), 2);
	assert_int_equal(pace_batch(10, 2, 100), 4);
	assert_int_equal(pace_batch(10, 64, 100), 100);
}

static void one_slow_job_is_noticed_at_once_and_forgotten_slowly(void **state)
{
	int64_t mean = 100;
	int quick = 0;

	(void)state;
	mean = pace_mean(mean, 1000000);
	assert_int_equal(mean, 1000000);
	while (pace_batch(mean, 1, 100) == 1) {
		mean = pace_mean(mean, 100);
		quick++;
	}
	assert_true(quick > 10);
	assert_int_equal(pace_mean(0, 0), 1);
	assert_int_equal(pace_mean(1, 0), 1);
}

static void each_failure_waits_twice_as_long_up_to_the_most(void **state)
{
	(void)state;
	for (uint32_t chance = 0; chance < UINT32_MAX - UINT32_MAX / 7; chance += UINT32_MAX / 7) {
		assert_in_range(pace_backoff_ms(1, 5, 3600, chance), 4500, 5500);
		assert_in_range(pace_backoff_ms(2, 5, 3600, chance), 9000, 11000);
		assert_in_range(pace_backoff_ms(5, 5, 3600, chance), 72000, 88000);
		assert_in_range(pace_backoff_ms(30, 5, 3600, chance), 3240000, 3960000);
		assert_in_range(pace_backoff_ms(32767, 5, 3600, chance), 3240000, 3960000);
	}
	assert_int_equal(pace_backoff_ms(3, 0, 3600, 7), 0);
}

static void chance_spreads_what_failed_together(void **state)
{
	(void)state;
	assert_int_equal(pace_backoff_ms(1, 10, 60, 0), 9000);
	assert_int_equal(pace_backoff_ms(1, 10, 60, UINT32_MAX / 2), 9999);
	assert_int_equal(pace_backoff_ms(1, 10, 60, UINT32_MAX), 11000);
}

static void idleness_is_looked_at_less_and_less(void **state)
{
	int64_t slept = 0, looks = 0, all = 0;

	(void)state;
	/* Within the 50 ms in which a second wake-up is spared, it looks several times. */
	for (; all < 50000; looks++)
		all += slept = pace_idle_us(slept, 1000000);
	assert_in_range(looks, 4, 6);
	for (int i = 0; i < 20; i++)
		slept = pace_idle_us(slept, 1000000);
	assert_int_equal(slept, 1000000);
}

int main(void)
{
	const struct CMUnitTest pace[] = {
		cmocka_unit_test(quick_jobs_are_claimed_by_many),
		cmocka_unit_test(slow_and_unknown_ones_go_one_by_one),
		cmocka_unit_test(a_batch_grows_by_doubling),
		cmocka_unit_test(one_slow_job_is_noticed_at_once_and_forgotten_slowly),
		cmocka_unit_test(each_failure_waits_twice_as_long_up_to_the_most),
		cmocka_unit_test(chance_spreads_what_failed_together),
		cmocka_unit_test(idleness_is_looked_at_less_and_less),
	};

	return cmocka_run_group_tests(pace, NULL, NULL);
}
