/* sight_test.c - when a request counts as stuck, without a process or a sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/pool/policy.h"
#include "supervisor/record/ledger.h"

#define MS     INT64_C(1000)
#define NOBODY 999999999 /* a process id that none has: /proc knows nothing of it */

/* A pool of one worker that keeps a scoreboard and is ready. */
struct house {
	struct pool_conf conf;
	struct generation generation;
	struct pool pool, *pool_list[1];
	struct pools pools;
	struct worker worker, *worker_list[1];
	struct orders orders;
};

static int build(void **state)
{
	struct house *h = test_calloc(1, sizeof(*h));

	h->conf = (struct pool_conf){
		.kind = KIND_WORKER, .workers = 1, .request_timeout = 5000, .watch_interval = 1000
	};
	h->worker = (struct worker){ .generation = &h->generation, .slot = 1, .name = "web" };
	h->worker.pid = NOBODY;
	h->worker.board = board_open(5 * SECOND_US);
	assert_non_null(h->worker.board);
	h->worker.board->memory->head.used = 1;
	sight_forget(&h->worker.sight, 0);
	h->worker_list[0] = &h->worker;
	h->generation = (struct generation){
		.pool = &h->pool, .number = 1, .phase = GENERATION_SERVING, .count = 1, .room = 1
	};
	h->generation.worker = h->worker_list;
	h->generation.plan.conf = &h->conf;
	h->pool =
	    (struct pool){ .name = "web", .generation = &h->generation, .newest = &h->generation };
	h->pool_list[0] = &h->pool;
	h->pools = (struct pools){ .pool = h->pool_list, .count = 1 };
	worker_becomes(&h->worker, WORKER_STARTING, 0);
	worker_becomes(&h->worker, WORKER_READY, 0);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct house *h = *state;

	board_close(&h->worker.board);
	orders_free(&h->orders);
	test_free(h);
	return 0;
}

static struct score *slot(struct house *h)
{
	return &h->worker.board->memory->slot[0];
}

/* What is decided at NOW; -1: nothing. */
static int decided(struct house *h, int64_t now)
{
	policy_decide(&h->pools, now, &h->orders);
	return h->orders.count > 0 ? (int)h->orders.order[0].verb : -1;
}

static void it_is_looked_at_now_and_then(void **state)
{
	struct house *h = *state;

	assert_int_equal(decided(h, 0), ORDER_WATCH);
	sight_look(&h->worker, 0);
	assert_int_equal(decided(h, 0), -1);
	assert_int_equal(h->orders.wake, SECOND_US);
	assert_int_equal(decided(h, SECOND_US), ORDER_WATCH);
}

static void without_a_timeout_nobody_looks(void **state)
{
	struct house *h = *state;

	h->conf.request_timeout = 0;
	assert_int_equal(decided(h, 100 * SECOND_US), -1);
	assert_int_equal(h->orders.wake, LOOP_FOREVER);
}

static void a_request_beyond_its_time_is_abandoned(void **state)
{
	struct house *h = *state;

	scoreboard_begin(slot(h), 100 * MS, (uint64_t)(5 * SECOND_US));
	sight_look(&h->worker, SECOND_US);
	assert_int_equal(h->worker.sight.deadline, 5100 * MS);
	sight_look(&h->worker, 5 * SECOND_US);
	assert_int_equal(decided(h, 5 * SECOND_US), -1);
	assert_int_equal(h->orders.wake, 5100 * MS); /* looked at again exactly then */
	assert_int_equal(decided(h, 5100 * MS), ORDER_WATCH);
	sight_look(&h->worker, 5100 * MS);
	assert_int_equal(decided(h, 5100 * MS), ORDER_ABANDON);
}

static void one_that_has_just_ended_is_not(void **state)
{
	struct house *h = *state;

	scoreboard_begin(slot(h), 100 * MS, (uint64_t)(5 * SECOND_US));
	sight_look(&h->worker, 5 * SECOND_US);
	scoreboard_end(slot(h), 100 * MS, 5099 * MS, 0, false);
	sight_look(&h->worker, 5100 * MS);
	assert_int_equal(decided(h, 5100 * MS), -1);
	assert_int_equal(h->worker.sight.since, 0);
}

static void a_request_may_give_itself_more_time(void **state)
{
	struct house *h = *state;

	scoreboard_begin(slot(h), 0, (uint64_t)(60 * SECOND_US));
	sight_look(&h->worker, 0);
	for (int64_t now = SECOND_US; now < 60 * SECOND_US; now += SECOND_US) {
		sight_look(&h->worker, now);
		assert_int_equal(decided(h, now), -1);
	}
	sight_look(&h->worker, 60 * SECOND_US);
	assert_int_equal(decided(h, 60 * SECOND_US), ORDER_ABANDON);
}

static void a_program_that_knows_no_deadlines_has_the_pools(void **state)
{
	struct house *h = *state;

	scoreboard_begin(slot(h), 0, 0);
	sight_look(&h->worker, 0);
	sight_look(&h->worker, 1 * SECOND_US);
	assert_int_equal(h->worker.sight.deadline, 5 * SECOND_US);
}

/* When the machine slept, or we were stopped, requests slept, too: they get one more interval. */
static void after_our_own_absence_nobody_is_stuck_at_once(void **state)
{
	struct house *h = *state;

	scoreboard_begin(slot(h), 0, (uint64_t)(5 * SECOND_US));
	sight_look(&h->worker, SECOND_US);
	sight_look(&h->worker, 1000 * SECOND_US);
	assert_int_equal(decided(h, 1000 * SECOND_US), -1);
	assert_int_equal(h->orders.wake, 1001 * SECOND_US);
	sight_look(&h->worker, 1001 * SECOND_US);
	assert_int_equal(decided(h, 1001 * SECOND_US), ORDER_ABANDON);
}

static void who_looks_in_between_changes_nothing(void **state)
{
	struct house *h = *state;

	scoreboard_begin(slot(h), 0, (uint64_t)(5 * SECOND_US));
	for (int64_t now = 0; now < 5 * SECOND_US; now += 300 * MS) {
		sight_look(&h->worker, now);
		assert_int_equal(decided(h, now), -1);
	}
	sight_look(&h->worker, 5 * SECOND_US);
	assert_int_equal(decided(h, 5 * SECOND_US), ORDER_ABANDON);
}

static void what_cannot_be_seen_is_not_guessed(void **state)
{
	struct house *h = *state;

	h->worker.board->memory->head.used = 0; /* it keeps no scoreboard, and has no socket */
	sight_look(&h->worker, 100 * SECOND_US);
	assert_int_equal(h->worker.sight.busy, -1);
	assert_int_equal(h->worker.sight.idle, -1);
	assert_false(h->worker.sight.overdue);
	assert_int_equal(sight_memory(NOBODY), -1);
	assert_true(sight_memory(getpid()) > 100000);
}

static void a_stuck_request_is_described(void **state)
{
	struct house *h = *state;
	char text[SIGHT_TEXT];

	scoreboard_begin(slot(h), 0, 0);
	sight_look(&h->worker, SECOND_US);
	sight_describe(&h->worker.sight, SECOND_US, text);
	assert_string_equal(text, "a request for 1.0 s");
	scoreboard_begin(slot(h), 1, 0);
	scoreboard_name(slot(h), "GET", "/api/tasks/{id}");
	sight_look(&h->worker, SECOND_US);
	sight_describe(&h->worker.sight, 2 * SECOND_US, text);
	assert_string_equal(text, "GET /api/tasks/{id} for 2.0 s");
}

/* --- slow requests --- */

static void a_slow_request_is_looked_at_once(void **state)
{
	struct house *h = *state;
	char text[SIGHT_TEXT];

	h->conf.request_timeout = 0;
	h->conf.slow_request = 300;
	sight_look(&h->worker, 100 * MS);
	scoreboard_begin(slot(h), 200 * MS, 0);
	scoreboard_name(slot(h), "GET", "/slow");
	sight_look(&h->worker, 250 * MS);
	assert_int_equal(h->worker.sight.next, 500 * MS); /* exactly when it becomes slow */
	assert_int_equal(decided(h, 499 * MS), -1);
	assert_int_equal(decided(h, 500 * MS), ORDER_WATCH);
	sight_look(&h->worker, 500 * MS);
	assert_int_equal(h->worker.sight.slow, 200 * MS);
	assert_int_equal(decided(h, 500 * MS), ORDER_EXPLAIN);
	sight_describe_slow(&h->worker, 700 * MS, text);
	assert_string_equal(text, "GET /slow for 0.5 s");
	h->worker.slow_seen = 200 * MS; /* what explain_slow() does */
	sight_look(&h->worker, 900 * MS);
	assert_int_equal(h->worker.sight.slow, 0);
	assert_int_equal(decided(h, 900 * MS), -1);
}

static void behind_one_that_was_looked_at_another_is_seen(void **state)
{
	struct house *h = *state;
	struct score *second = &h->worker.board->memory->slot[1];
	char text[SIGHT_TEXT];

	h->worker.board->memory->head.used = 2;
	h->conf.slow_request = 300;
	scoreboard_begin(slot(h), 100 * MS, 0);
	h->worker.slow_seen = 100 * MS;
	scoreboard_begin(second, 400 * MS, 0);
	scoreboard_name(second, "POST", "/second");
	sight_look(&h->worker, 500 * MS);
	assert_int_equal(h->worker.sight.slow, 0);
	sight_look(&h->worker, 700 * MS);
	assert_int_equal(h->worker.sight.slow, 400 * MS);
	assert_int_equal(h->worker.sight.since, 100 * MS);
	sight_describe_slow(&h->worker, 700 * MS, text);
	assert_string_equal(text, "POST /second for 0.3 s");
}

static void slow_requests_are_looked_at_one_in_an_interval(void **state)
{
	struct house *h = *state;

	h->conf.slow_request = 300;
	h->pool.slow_at = 60 * SECOND_US;
	scoreboard_begin(slot(h), 100 * MS, (uint64_t)(600 * SECOND_US));
	sight_look(&h->worker, SECOND_US);
	assert_int_equal(decided(h, SECOND_US), -1);
	sight_look(&h->worker, 60 * SECOND_US); /* it is slow still */
	assert_int_equal(decided(h, 60 * SECOND_US), ORDER_EXPLAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	const struct CMUnitTest sight[] = {
		TEST(it_is_looked_at_now_and_then),
		TEST(without_a_timeout_nobody_looks),
		TEST(a_request_beyond_its_time_is_abandoned),
		TEST(one_that_has_just_ended_is_not),
		TEST(a_request_may_give_itself_more_time),
		TEST(a_program_that_knows_no_deadlines_has_the_pools),
		TEST(after_our_own_absence_nobody_is_stuck_at_once),
		TEST(who_looks_in_between_changes_nothing),
		TEST(what_cannot_be_seen_is_not_guessed),
		TEST(a_stuck_request_is_described),
		TEST(a_slow_request_is_looked_at_once),
		TEST(behind_one_that_was_looked_at_another_is_seen),
		TEST(slow_requests_are_looked_at_one_in_an_interval),
	};

	return cmocka_run_group_tests_name("sight", sight, NULL, NULL);
}
