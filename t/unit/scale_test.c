/* scale_test.c - how many workers there should be: up, down, not to and fro, and never too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "supervisor/pool/scale.h"

#define MS       (SECOND_US / 1000)
#define INTERVAL (200 * MS)
#define QUIET    (16 * SECOND_US)
#define DOWN     (2 * SECOND_US)
#define IDLE     (60 * SECOND_US)
#define MB       (1LL << 20)

/* A pool that does at once what is decided, looked at every 200 ms. */
struct stage {
	struct scale_conf conf;
	struct scale_history history;
	struct scale_look look;
	struct scale_advice advice;
};

static const struct stage usual = {
	.conf = { .min = 1,
	    .max = 32,
	    .spare = 1,
	    .interval = INTERVAL / MS,
	    .quiet = QUIET / MS,
	    .down_interval = DOWN / MS,
	    .idle = IDLE / MS },
	.look = { .now = 1000 * SECOND_US, .workers = 1, .ready = 1, .threads = 1 },
};

/* One look, and what follows from it is done. */
static void step(struct stage *s)
{
	s->look.now += INTERVAL;
	scale_see(&s->history, &s->conf, &s->look);
	s->advice = scale_decide(&s->history, &s->conf, &s->look);
	if (s->advice.workers < s->look.workers)
		scale_has_shrunk(&s->history, s->look.now);
	s->look.workers = s->advice.workers;
	s->look.ready = s->look.workers;
}

/* So many requests are in hand; those for whom there is no worker wait. */
static void step_with(struct stage *s, long long requests)
{
	long long room = s->look.ready * s->look.threads;

	s->look.busy = requests < room ? requests : room;
	s->look.queue = requests - s->look.busy;
	step(s);
}

static void steps_with(struct stage *s, long long requests, int64_t duration)
{
	for (int64_t end = s->look.now + duration; s->look.now < end;)
		step_with(s, requests);
}

static void a_burst_is_met_by_doubling(void **state)
{
	static const long long expected[] = { 2, 4, 8, 16, 21, 21 };
	struct stage s = usual;

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		step_with(&s, 20);
		assert_int_equal(s.look.workers, expected[i]);
		assert_int_equal(s.advice.wanted, 21);
		assert_int_equal(s.advice.why, i < 5 ? SCALE_DEMAND : SCALE_ENOUGH);
	}
}

static void without_demand_it_rests_at_min_and_spare(void **state)
{
	struct stage s = usual;

	(void)state;
	steps_with(&s, 0, 2 * QUIET);
	assert_int_equal(s.look.workers, 1);
	s.conf.spare = 3;
	steps_with(&s, 0, 2 * QUIET);
	assert_int_equal(s.look.workers, 3);
	s.conf.min = 5;
	steps_with(&s, 0, 2 * QUIET);
	assert_int_equal(s.look.workers, 5);
}

static void it_shrinks_after_a_quiet_time_one_by_one(void **state)
{
	struct stage s = usual;
	int64_t calm, last = 0;
	long long before;

	(void)state;
	steps_with(&s, 9, 3 * SECOND_US);
	assert_int_equal(s.look.workers, 10);
	calm = s.look.now;
	while (s.look.workers > 1) {
		before = s.look.workers;
		step_with(&s, 0);
		if (s.look.workers == before)
			continue;
		assert_int_equal(s.look.workers, before - 1);
		assert_int_equal(s.advice.why, SCALE_QUIET);
		assert_true(s.look.now - calm >= QUIET * 15 / 16);
		assert_true(last == 0 || s.look.now - last >= DOWN);
		last = s.look.now;
		assert_true(s.look.now < calm + 3 * QUIET);
	}
	steps_with(&s, 0, 2 * QUIET);
	assert_int_equal(s.look.workers, 1);
}

static void what_goes_up_and_down_faster_moves_nothing(void **state)
{
	struct stage s = usual;
	int changes = 0;

	(void)state;
	steps_with(&s, 12, 3 * SECOND_US);
	for (int i = 0; i < 40; i++) {
		long long before = s.look.workers;

		steps_with(&s, i % 2 == 0 ? 1 : 12, QUIET / 2);
		changes += s.look.workers != before;
	}
	assert_int_equal(changes, 0);
	assert_int_equal(s.look.workers, 13);
}

static void a_lower_demand_is_followed_down_to_itself(void **state)
{
	struct stage s = usual;

	(void)state;
	steps_with(&s, 12, 3 * SECOND_US);
	steps_with(&s, 4, 5 * QUIET);
	assert_int_equal(s.look.workers, 5);
}

static void never_more_than_max_nor_fewer_than_min(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.max = 6;
	s.conf.min = s.look.workers = s.look.ready = 3;
	for (int i = 0; i < 2000; i++) {
		step_with(&s, i % 700 < 100 ? 50 : 0);
		assert_in_range(s.look.workers, 3, 6);
	}
	steps_with(&s, 50, 3 * SECOND_US);
	assert_int_equal(s.advice.why, SCALE_AT_MAX);
	assert_int_equal(s.advice.wanted, 51);
}

static void who_has_not_gone_yet_counts_against_max(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.max = 4;
	s.look.leaving = 2;
	steps_with(&s, 9, SECOND_US);
	assert_int_equal(s.look.workers, 2);
	assert_int_equal(s.advice.why, SCALE_AT_MAX);
	s.look.leaving = 0;
	step_with(&s, 9);
	assert_int_equal(s.look.workers, 4);
}

static void other_limits_count_at_once(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.min = 4;
	step_with(&s, 0);
	assert_int_equal(s.look.workers, 4);
	assert_int_equal(s.advice.why, SCALE_LIMITS);
	s.conf.min = 1;
	s.conf.max = 2;
	step_with(&s, 0);
	assert_int_equal(s.look.workers, 2);
}

static void threads_share_a_worker(void **state)
{
	struct stage s = usual;

	(void)state;
	s.look.threads = 16;
	steps_with(&s, 15, SECOND_US);
	assert_int_equal(s.look.workers, 2); /* one at work, one spare */
	steps_with(&s, 17, SECOND_US);
	assert_int_equal(s.look.workers, 3);
}

static void a_queue_that_stays_has_nobody_to_take_it(void **state)
{
	struct stage s = usual;

	(void)state;
	s.look.workers = s.look.ready = 4;
	s.look.queue = 1; /* for a moment, while all four seem idle */
	step(&s);
	step(&s);
	assert_int_equal(s.look.workers, 4);
	for (int i = 0; i < 3; i++)
		step(&s);
	assert_int_equal(s.advice.why, SCALE_DEMAND);
	assert_int_equal(s.look.workers, 6);
}

static void from_nothing_one_is_started_by_the_first_client(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.min = s.look.workers = s.look.ready = 0;
	step(&s);
	assert_int_equal(s.look.workers, 0);
	s.look.queue = 9;
	s.conf.memory = 1; /* nor does a ceiling keep the first one out */
	s.look.failing = true;
	step(&s);
	assert_int_equal(s.look.workers, 1);
	assert_int_equal(s.advice.why, SCALE_CLIENT);
}

static void to_nothing_it_goes_when_idle_for_long(void **state)
{
	struct stage s = usual;
	int64_t calm;

	(void)state;
	s.conf.min = 0;
	steps_with(&s, 3, SECOND_US);
	assert_int_equal(s.look.workers, 4);
	calm = s.look.now;
	steps_with(&s, 0, QUIET + 4 * DOWN);
	assert_int_equal(s.look.workers, 1);
	while (s.look.workers > 0 && s.look.now < calm + 2 * IDLE)
		step_with(&s, 0);
	assert_int_equal(s.advice.why, SCALE_IDLE);
	assert_true(s.look.now - calm >= IDLE);
	assert_true(s.look.now - calm <= IDLE + SECOND_US);
}

static void requests_too_short_to_be_seen_keep_the_last_one(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.min = 0;
	for (int i = 0; i < 3000; i++) {
		s.look.active = i % 100 == 0;
		step_with(&s, 0);
		assert_int_equal(s.look.workers, 1);
	}
	s.look.active = false;
	steps_with(&s, 0, 2 * IDLE);
	assert_int_equal(s.look.workers, 0);
}

static void no_more_than_fit_in_memory(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.memory = 100 * MB;
	for (int i = 0; i < 10; i++) {
		s.look.measured = s.look.ready;
		s.look.memory = s.look.measured * 30 * MB;
		step_with(&s, 20);
	}
	assert_int_equal(s.look.workers, 3);
	assert_int_equal(s.advice.why, SCALE_MEMORY);
	s.look.measured = 0; /* a limit that cannot be kept */
	s.conf.memory = 1000 * MB;
	step_with(&s, 20);
	assert_int_equal(s.look.workers, 3);
}

static void no_more_than_leave_the_machine_enough(void **state)
{
	struct stage s = usual;

	(void)state;
	s.conf.free_memory = 500 * MB;
	s.look.measured = 1;
	s.look.memory = 40 * MB;
	s.look.available = 560 * MB;
	step_with(&s, 20);
	assert_int_equal(s.look.workers, 2);
	s.look.available = 520 * MB;
	step_with(&s, 20);
	assert_int_equal(s.look.workers, 2);
	assert_int_equal(s.advice.why, SCALE_MEMORY);
	s.look.available = -1;
	step_with(&s, 20);
	assert_int_equal(s.look.workers, 2);
	s.look.available = 900 * MB;
	step_with(&s, 20);
	assert_int_equal(s.look.workers, 4);
}

static void a_pool_that_crashes_is_not_made_larger(void **state)
{
	struct stage s = usual;

	(void)state;
	s.look.failing = true;
	steps_with(&s, 20, SECOND_US);
	assert_int_equal(s.look.workers, 1);
	assert_int_equal(s.advice.why, SCALE_FAILING);
	s.look.failing = false;
	step_with(&s, 20);
	assert_int_equal(s.look.workers, 2);
}

static void before_one_is_ready_no_other_is_added(void **state)
{
	struct stage s = usual;

	(void)state;
	s.look.queue = 9;
	for (int i = 0; i < 20; i++) {
		s.look.ready = 0;
		step(&s);
		assert_int_equal(s.look.workers, 1);
	}
	s.look.ready = 1;
	step(&s);
	assert_int_equal(s.look.workers, 2);
}

static void what_cannot_be_seen_is_not_sent_away(void **state)
{
	struct stage s = usual;

	(void)state;
	s.look.unseen = true;
	s.look.workers = s.look.ready = 8;
	steps_with(&s, 0, 3 * QUIET);
	assert_int_equal(s.look.workers, 8);
	assert_int_equal(s.advice.why, SCALE_UNSEEN);
}

static void what_was_slept_through_says_nothing(void **state)
{
	struct stage s = usual;

	(void)state;
	steps_with(&s, 7, SECOND_US);
	assert_int_equal(s.look.workers, 8);
	s.look.now += 3600 * SECOND_US;
	steps_with(&s, 0, QUIET - SECOND_US);
	assert_int_equal(s.look.workers, 8);
	steps_with(&s, 0, 2 * SECOND_US);
	assert_true(s.look.workers < 8);
}

#define TEST(function) cmocka_unit_test(function)

int main(void)
{
	const struct CMUnitTest scale[] = {
		TEST(a_burst_is_met_by_doubling),
		TEST(without_demand_it_rests_at_min_and_spare),
		TEST(it_shrinks_after_a_quiet_time_one_by_one),
		TEST(what_goes_up_and_down_faster_moves_nothing),
		TEST(a_lower_demand_is_followed_down_to_itself),
		TEST(never_more_than_max_nor_fewer_than_min),
		TEST(who_has_not_gone_yet_counts_against_max),
		TEST(other_limits_count_at_once),
		TEST(threads_share_a_worker),
		TEST(a_queue_that_stays_has_nobody_to_take_it),
		TEST(from_nothing_one_is_started_by_the_first_client),
		TEST(to_nothing_it_goes_when_idle_for_long),
		TEST(requests_too_short_to_be_seen_keep_the_last_one),
		TEST(no_more_than_fit_in_memory),
		TEST(no_more_than_leave_the_machine_enough),
		TEST(a_pool_that_crashes_is_not_made_larger),
		TEST(before_one_is_ready_no_other_is_added),
		TEST(what_cannot_be_seen_is_not_sent_away),
		TEST(what_was_slept_through_says_nothing),
	};

	return cmocka_run_group_tests(scale, NULL, NULL);
}
