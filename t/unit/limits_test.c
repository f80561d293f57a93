/* limits_test.c - quotas: the arithmetic, the same in Redis, and what a process deals out by
 * itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/limits.h"
#include "store/script.h"
#include "t/unit/redis_server.h"

static struct arena *arena;

static int begin(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_TEXT);
	arena = arena_new(4096);
	return redis_server_start(arena);
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return redis_server_end();
}

/* --- the arithmetic --- */

static const struct gcra five_a_minute = { .quota = 5, .window_us = 60 * SECOND_US };

static void a_whole_quota_may_be_used_at_once_and_grows_back_evenly(void **state)
{
	int64_t tat = 0, now = 1000 * SECOND_US;
	struct grant grant;

	(void)state;
	for (int i = 4; i >= 0; i--) {
		grant = gcra_take(&five_a_minute, &tat, now, 1);
		assert_int_equal(grant.count, 1);
		assert_int_equal(grant.remaining, i);
		assert_int_equal(grant.whole_in, (5 - i) * 12 * SECOND_US);
	}
	grant = gcra_take(&five_a_minute, &tat, now, 1);
	assert_int_equal(grant.count, 0);
	assert_int_equal(grant.remaining, 0);
	assert_in_range(grant.retry_in, 11980000, 12 * SECOND_US);
	grant = gcra_take(&five_a_minute, &tat, now + 5 * SECOND_US, 1);
	assert_int_equal(grant.count, 0);
	assert_in_range(grant.retry_in, 6980000, 7 * SECOND_US);
	assert_int_equal(gcra_take(&five_a_minute, &tat, now + 11980000, 1).count, 0);
	assert_int_equal(gcra_take(&five_a_minute, &tat, now + 12 * SECOND_US, 1).count, 1);
	assert_int_equal(gcra_take(&five_a_minute, &tat, now + 12 * SECOND_US, 1).count, 0);
	assert_int_equal(gcra_take(&five_a_minute, &tat, now + 120 * SECOND_US, 9).count, 5);
}

static void what_is_not_there_is_granted_in_part(void **state)
{
	int64_t tat = 0;

	(void)state;
	assert_int_equal(gcra_take(&five_a_minute, &tat, SECOND_US, 3).count, 3);
	assert_int_equal(gcra_take(&five_a_minute, &tat, SECOND_US, 3).count, 2);
	assert_int_equal(gcra_take(&five_a_minute, &tat, SECOND_US, 3).count, 0);
}

static void a_clock_that_was_set_back_locks_nobody_out(void **state)
{
	int64_t tat = 1000000 * SECOND_US;
	struct grant grant = gcra_take(&five_a_minute, &tat, SECOND_US, 1);

	(void)state;
	assert_int_equal(grant.count, 0);
	assert_in_range(grant.retry_in, 11980000, 12 * SECOND_US);
	assert_int_equal(grant.whole_in, 60 * SECOND_US);
}

/* Quotas that divide no window evenly lose no request to rounding. */
static void every_quota_is_whole(void **state)
{
	(void)state;
	for (long long quota = 1; quota < 2000; quota += 7) {
		struct gcra gcra = { .quota = quota, .window_us = 60 * SECOND_US };
		int64_t tat = 0;
		long long granted = 0;

		while (gcra_take(&gcra, &tat, SECOND_US, 1).count == 1)
			granted++;
		assert_int_equal(granted, quota);
	}
}

/* --- the same in Redis --- */

static struct limit_policy policies[] = {
	{ "small", { .quota = 7, .window_us = 3600 * SECOND_US } },
	{ "large", { .quota = 100000, .window_us = 3600 * SECOND_US } },
	{ "quick", { .quota = 2, .window_us = SECOND_US } },
};
enum { SMALL, LARGE, QUICK };

static struct process {
	struct redis *redis;
	struct limits *limits;
} one, other;

static struct process open_process(const char *address)
{
	static struct redis_options options[3];
	static int count;
	struct redis_options *mine = &options[count++ % 3];
	struct process process;

	*mine = (struct redis_options){
		.address = address, .connections = 2, .timeout_ms = 5000, .retry_ms = 3600 * 1000
	};
	process.redis = redis_open(mine);
	process.limits = limits_open(process.redis, policies);
	return process;
}

static void close_process(struct process *process)
{
	limits_close(&process->limits);
	redis_close(&process->redis);
}

static int open_both(void **state)
{
	(void)state;
	(void)redis_server_says("FLUSHALL");
	one = open_process(redis_server_address());
	other = open_process(redis_server_address());
	return 0;
}

static int close_both(void **state)
{
	(void)state;
	close_process(&one);
	close_process(&other);
	arena_reset(arena);
	return 0;
}

static int asked; /* how often Redis was */

/* One request, as the front stage judges it. */
static struct verdict request_by(const struct process *process, uint64_t id, uint32_t policy)
{
	struct limited who = { .id = id, .policy = policy };
	struct redis_command ask;
	struct redis_reply reply;
	struct verdict verdict;
	bool replied;

	if (limits_judge(process->limits, &who, clock_now(), &verdict))
		return verdict;
	asked++;
	ask = limits_ask(process->limits, arena, &who);
	replied = redis_run(process->redis, arena, 1, &ask, &reply);
	return limits_hear(process->limits, arena, &who, replied ? &reply : NULL);
}

static void a_small_quota_is_exact_over_all_processes(void **state)
{
	struct verdict verdict;

	(void)state;
	for (int i = 6; i >= 0; i--) {
		verdict = request_by(i % 2 ? &one : &other, 1, SMALL);
		assert_true(verdict.admitted);
		assert_int_equal(verdict.remaining, i);
		assert_in_range(
		    verdict.whole_in, (7 - i) * 500 * SECOND_US, (7 - i) * 515 * SECOND_US);
	}
	for (int i = 0; i < 2; i++) {
		verdict = request_by(i ? &one : &other, 1, SMALL);
		assert_false(verdict.admitted);
		assert_int_equal(verdict.remaining, 0);
		assert_in_range(verdict.retry_in, 400 * SECOND_US, 515 * SECOND_US);
	}
}

static void each_has_a_quota_of_their_own(void **state)
{
	struct limited kinds[] = { { .id = 1, .kind = 0 }, { .id = 1, .kind = 1 } };
	struct verdict verdict;

	(void)state;
	for (int i = 0; i < 8; i++)
		(void)request_by(&one, 1, SMALL);
	assert_false(request_by(&one, 1, SMALL).admitted);
	assert_true(request_by(&one, 2, SMALL).admitted);
	assert_true(request_by(&one, 1, LARGE).admitted);
	assert_true(limits_judge(one.limits, &kinds[0], clock_now(), &verdict));
	assert_false(limits_judge(one.limits, &kinds[1], clock_now(), &verdict));
}

static void a_large_quota_is_dealt_out_by_each_process(void **state)
{
	long long admitted = 0;

	(void)state;
	asked = 0;
	for (int i = 0; i < 110000; i++) {
		admitted += request_by(i % 2 ? &one : &other, 3, LARGE).admitted;
		if (i % 1000 == 0)
			arena_reset(arena);
	}
	/* 1,000 at a time, and what grew back meanwhile. */
	assert_in_range(asked, 100, 110);
	assert_in_range(admitted, 100000, 100000 + 2000);
}

static void who_was_refused_is_not_asked_about_again_too_soon(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		(void)request_by(&one, 4, SMALL);
	asked = 0;
	for (int i = 0; i < 1000; i++)
		assert_false(request_by(&one, 4, SMALL).admitted);
	assert_int_equal(asked, 0);
}

static void who_waits_as_told_is_admitted(void **state)
{
	struct verdict verdict = { .admitted = true };
	int64_t until;

	(void)state;
	for (int i = 0; i < 100 && verdict.admitted; i++)
		verdict = request_by(&one, 5, QUICK);
	assert_false(verdict.admitted);
	until = clock_now() + verdict.retry_in + 1000;
	while (clock_now() < until)
		continue;
	assert_true(request_by(&one, 5, QUICK).admitted);
}

static void nothing_is_left_in_redis_of_who_does_not_come_again(void **state)
{
	struct redis_reply left;

	(void)state;
	(void)request_by(&one, 6, QUICK);
	left = redis_server_says("PTTL", "limit:quick:0:6");
	assert_in_range(left.integer, 1, 500);
}

static void a_clock_of_redis_that_was_set_back_locks_nobody_out(void **state)
{
	struct verdict verdict;

	(void)state;
	(void)redis_server_says("SET", "limit:small:0:a", "9000000000000000");
	verdict = request_by(&one, 10, SMALL);
	assert_false(verdict.admitted);
	assert_in_range(verdict.retry_in, 500 * SECOND_US, 515 * SECOND_US);
}

static void redis_forgets_the_script_in_between(void **state)
{
	(void)state;
	assert_int_equal(request_by(&one, 7, SMALL).remaining, 6);
	(void)redis_server_says("SCRIPT", "FLUSH", "SYNC");
	assert_int_equal(request_by(&one, 7, SMALL).remaining, 5);
}

static void rubbish_in_redis_is_counted_without_it(void **state)
{
	(void)state;
	(void)redis_server_says("LPUSH", "limit:small:0:8", "x");
	assert_int_equal(request_by(&one, 8, SMALL).remaining, 6);
	assert_int_equal(request_by(&one, 8, SMALL).remaining, 5);
}

static void without_redis_each_process_counts_by_itself(void **state)
{
	struct process alone = open_process("/nonexistent/redis.sock");

	(void)state;
	for (int i = 6; i >= 0; i--)
		assert_int_equal(request_by(&alone, 1, SMALL).remaining, i);
	assert_false(request_by(&alone, 1, SMALL).admitted);
	assert_true(request_by(&alone, 2, SMALL).admitted);
	close_process(&alone);
}

/* More of them than the table holds: each is still judged by what Redis knows. */
static void a_flood_of_addresses_pushes_nobody_out_of_their_limit(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		(void)request_by(&one, 9, SMALL);
	for (uint64_t id = 1000; id < 21000; id++) {
		assert_true(request_by(&one, id, SMALL).admitted);
		if (id % 100 == 0)
			arena_reset(arena);
	}
	assert_false(request_by(&one, 9, SMALL).admitted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
	const struct CMUnitTest limits[] = {
		cmocka_unit_test(a_whole_quota_may_be_used_at_once_and_grows_back_evenly),
		cmocka_unit_test(what_is_not_there_is_granted_in_part),
		cmocka_unit_test(a_clock_that_was_set_back_locks_nobody_out),
		cmocka_unit_test(every_quota_is_whole),
		TEST(a_small_quota_is_exact_over_all_processes),
		TEST(each_has_a_quota_of_their_own),
		TEST(a_large_quota_is_dealt_out_by_each_process),
		TEST(who_was_refused_is_not_asked_about_again_too_soon),
		TEST(who_waits_as_told_is_admitted),
		TEST(nothing_is_left_in_redis_of_who_does_not_come_again),
		TEST(a_clock_of_redis_that_was_set_back_locks_nobody_out),
		TEST(redis_forgets_the_script_in_between),
		TEST(rubbish_in_redis_is_counted_without_it),
		TEST(without_redis_each_process_counts_by_itself),
		TEST(a_flood_of_addresses_pushes_nobody_out_of_their_limit),
	};

	return cmocka_run_group_tests(limits, begin, end);
}
