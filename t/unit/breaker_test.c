/* breaker_test.c - who may ask a server that failed, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/breaker.h"

/* Asked again in an hour, so that no test is in a hurry. */
static struct breaker closed(void)
{
	log_setup(LOG_ERROR, LOG_TEXT);
	return (struct breaker){ .name = "server", .retry_ms = 3600 * 1000 };
}

static void everyone_may_ask_a_server_that_is_well(void **state)
{
	struct breaker breaker = closed();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(breaker_admits(&breaker));
	breaker_succeeded(&breaker);
	assert_true(breaker_admits(&breaker));
}

static void nobody_asks_one_that_failed_just_now(void **state)
{
	struct breaker breaker = closed();

	(void)state;
	breaker_failed(&breaker);
	assert_false(breaker_admits(&breaker));
	assert_false(breaker_admits(&breaker));
}

static void one_at_a_time_asks_again_when_the_time_has_come(void **state)
{
	struct breaker breaker = closed();

	(void)state;
	breaker_failed(&breaker);
	assert_true(breaker.no_before > clock_now() + 3000 * SECOND_US);
	breaker.no_before = clock_now();
	assert_true(breaker_admits(&breaker));
	assert_false(breaker_admits(&breaker));
	breaker_succeeded(&breaker);
	assert_true(breaker_admits(&breaker));
	assert_true(breaker_admits(&breaker));
}

static void a_failed_try_begins_the_wait_anew(void **state)
{
	struct breaker breaker = closed();

	(void)state;
	breaker_failed(&breaker);
	breaker.no_before = 0;
	assert_true(breaker_admits(&breaker));
	breaker_failed(&breaker);
	assert_false(breaker_admits(&breaker));
}

static void a_caller_that_never_asked_leaves_the_try_to_the_next(void **state)
{
	struct breaker breaker = closed();

	(void)state;
	breaker_failed(&breaker);
	breaker.no_before = 0;
	assert_true(breaker_admits(&breaker));
	breaker_undecided(&breaker);
	assert_true(breaker_admits(&breaker));
	assert_false(breaker_admits(&breaker));
}

int main(void)
{
	const struct CMUnitTest breaker[] = {
		cmocka_unit_test(everyone_may_ask_a_server_that_is_well),
		cmocka_unit_test(nobody_asks_one_that_failed_just_now),
		cmocka_unit_test(one_at_a_time_asks_again_when_the_time_has_come),
		cmocka_unit_test(a_failed_try_begins_the_wait_anew),
		cmocka_unit_test(a_caller_that_never_asked_leaves_the_try_to_the_next),
	};

	return cmocka_run_group_tests(breaker, NULL, NULL);
}
