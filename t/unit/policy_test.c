/* policy_test.c - the rules of order, patience and forgiveness, without a process or a sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "supervisor/pool/policy.h"
#include "supervisor/pool/verdict.h"

#define MS INT64_C(1000)

/*
 * database ← migrate (a task) ← web (2 workers), and cron beside them: small
 * enough to keep in mind, with every rule about order in it.
 */
enum { DATABASE, MIGRATE, WEB, CRON, POOLS };

struct house {
	struct arena *arena;
	struct pool_conf conf[POOLS];
	struct generation generation[POOLS];
	struct pool pool[POOLS];
	struct pool *list[POOLS];
	struct pools *pools;
	struct orders orders;
};

static const struct pool_conf usual = {
	.workers = 1,
	.ready_timeout = 5000,
	.ready_interval = 100,
	.stop_timeout = 3000,
	.backoff_first = 1000,
	.backoff_longest = 60000,
	.good_service = 10000,
};

static void add(struct house *h, int index, const char *name, enum pool_kind kind, size_t workers)
{
	struct generation *generation = &h->generation[index];

	h->conf[index] = usual;
	h->conf[index].named.name = name;
	h->conf[index].kind = (int)kind;
	*generation = (struct generation){ .pool = &h->pool[index],
		.arena = h->arena,
		.number = 1,
		.phase = GENERATION_SERVING,
		.count = workers };
	generation->plan.conf = &h->conf[index];
	generation->worker = arena_alloc(h->arena, workers * sizeof(struct worker *));
	for (size_t i = 0; i < workers; i++) {
		generation->worker[i] = arena_alloc(h->arena, sizeof(struct worker));
		*generation->worker[i] = (struct worker){
			.generation = generation, .slot = i + 1, .name = name, .probe.fd = -1
		};
	}
	h->pool[index] =
	    (struct pool){ .name = name, .generation = generation, .newest = generation };
}

static void put_after(struct house *h, int later, int earlier)
{
	const char **name = arena_alloc(h->arena, sizeof(*name));

	*name = h->pool[earlier].name;
	h->conf[later].after = (struct words){ .word = name, .count = 1 };
}

static int build(void **state)
{
	struct arena *arena = arena_new(4096);
	struct house *h = arena_alloc(arena, sizeof(*h));

	h->arena = arena;
	h->pools = pools_new();
	add(h, DATABASE, "database", KIND_SERVICE, 1);
	add(h, MIGRATE, "migrate", KIND_TASK, 1);
	add(h, WEB, "web", KIND_FASTCGI, 2);
	add(h, CRON, "cron", KIND_WORKER, 1);
	h->generation[WEB].plan.ready.kind = READY_NOTIFY;
	put_after(h, MIGRATE, DATABASE);
	put_after(h, WEB, MIGRATE);
	for (int i = 0; i < POOLS; i++)
		h->list[i] = &h->pool[i];
	h->pools->pool = h->list;
	h->pools->count = POOLS;
	pools_put_in_order(h->pools);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct house *h = *state;
	struct arena *arena = h->arena;

	orders_free(&h->orders);
	h->pools->pool = NULL; /* the list is ours */
	h->pools->count = 0;
	pools_free(&h->pools);
	arena_free(&arena);
	return 0;
}

static struct worker *worker(struct house *h, int pool, size_t slot)
{
	return h->generation[pool].worker[slot - 1];
}

/* What spawn would have done. */
static void begin(struct worker *w, pid_t pid, int64_t now)
{
	w->pid = pid;
	w->started = now;
	w->executed = true;
	w->ready_since = 0;
	worker_becomes(w, WORKER_STARTING, now);
}

static void make_ready(struct worker *w, pid_t pid, int64_t now)
{
	begin(w, pid, now);
	worker_becomes(w, WORKER_READY, now);
}

static void all_are_up(struct house *h, int64_t now)
{
	make_ready(worker(h, DATABASE, 1), 10, now);
	begin(worker(h, MIGRATE, 1), 11, now);
	worker(h, MIGRATE, 1)->pid = 0;
	worker_becomes(worker(h, MIGRATE, 1), WORKER_DONE, now);
	make_ready(worker(h, WEB, 1), 12, now);
	make_ready(worker(h, WEB, 2), 13, now);
	make_ready(worker(h, CRON, 1), 14, now);
}

static size_t ordered(const struct house *h, enum order_verb verb, int pool)
{
	size_t count = 0;

	for (size_t i = 0; i < h->orders.count; i++)
		count += h->orders.order[i].verb == verb &&
			 h->orders.order[i].worker->generation->pool == &h->pool[pool];
	return count;
}

static void decide(struct house *h, int64_t now)
{
	policy_decide(h->pools, now, &h->orders);
}

static struct verdict after(
    struct house *h, struct worker *w, bool signalled, int code, int64_t now)
{
	struct ending ending = { .signalled = signalled, .code = code };

	return verdict_after_end(h->pools, w, &ending, now, 0);
}

static void starts_only_what_waits_for_nothing(void **state)
{
	struct house *h = *state;

	decide(h, 0);
	assert_int_equal(ordered(h, ORDER_START, DATABASE), 1);
	assert_int_equal(ordered(h, ORDER_START, CRON), 1);
	assert_int_equal(h->orders.count, 2);
	assert_true(h->orders.wake == LOOP_FOREVER);
}

static void a_pool_starts_when_those_before_it_are_ready(void **state)
{
	struct house *h = *state;

	begin(worker(h, DATABASE, 1), 10, 1);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_START, MIGRATE), 0);
	worker_becomes(worker(h, DATABASE, 1), WORKER_READY, 3);
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_START, MIGRATE), 1);
	assert_int_equal(ordered(h, ORDER_START, WEB), 0);
}

static void a_task_lets_others_start_when_it_has_ended_with_0(void **state)
{
	struct house *h = *state;
	struct worker *task = worker(h, MIGRATE, 1);

	make_ready(worker(h, DATABASE, 1), 10, 1);
	begin(task, 11, 1);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_START, WEB), 0);
	assert_int_equal(after(h, task, false, 0, 3).next, WORKER_DONE);
	task->pid = 0;
	worker_becomes(task, WORKER_DONE, 3);
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_START, WEB), 2);
}

static void a_task_that_fails_is_tried_again_and_holds_up_the_rest(void **state)
{
	struct house *h = *state;
	struct worker *task = worker(h, MIGRATE, 1);
	struct verdict verdict;

	make_ready(worker(h, DATABASE, 1), 10, 1);
	begin(task, 11, 1);
	verdict = after(h, task, false, 1, 5 * MS);
	assert_int_equal(verdict.next, WORKER_WAITING);
	assert_true(verdict.failed);
	assert_true(verdict.retry_at == 5 * MS + SECOND_US);
	task->pid = 0;
	task->retry_at = verdict.retry_at;
	worker_becomes(task, WORKER_WAITING, 5 * MS);
	decide(h, 6 * MS);
	assert_int_equal(ordered(h, ORDER_START, MIGRATE), 0);
	assert_int_equal(ordered(h, ORDER_START, WEB), 0);
	assert_true(h->orders.wake == verdict.retry_at);
	decide(h, verdict.retry_at);
	assert_int_equal(ordered(h, ORDER_START, MIGRATE), 1);
}

static void a_task_may_run_for_as_long_as_it_likes(void **state)
{
	struct house *h = *state;

	begin(worker(h, MIGRATE, 1), 11, 1);
	decide(h, 3600 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_GIVE_UP, MIGRATE), 0);
	assert_int_equal(ordered(h, ORDER_WELCOME, MIGRATE), 0);
}

static void once_begun_a_pool_restarts_whatever_the_others_do(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	worker(h, DATABASE, 1)->pid = 0;
	worker_becomes(worker(h, DATABASE, 1), WORKER_WAITING, 2);
	worker(h, DATABASE, 1)->retry_at = 100 * SECOND_US;
	worker(h, WEB, 1)->pid = 0;
	worker_becomes(worker(h, WEB, 1), WORKER_WAITING, 2);
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_START, WEB), 1);
	assert_int_equal(ordered(h, ORDER_START, DATABASE), 0);
}

static void without_a_rule_a_worker_is_ready_once_it_runs(void **state)
{
	struct house *h = *state;
	struct worker *cron = worker(h, CRON, 1);

	begin(cron, 14, 1);
	cron->executed = false;
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_WELCOME, CRON), 0);
	cron->executed = true;
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_WELCOME, CRON), 1);
}

static void a_worker_that_must_say_so_is_ready_when_it_does(void **state)
{
	struct house *h = *state;

	begin(worker(h, WEB, 1), 12, 1);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_WELCOME, WEB), 0);
	assert_int_equal(ordered(h, ORDER_LOOK, WEB), 0);
	worker(h, WEB, 1)->seems_ready = true;
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_WELCOME, WEB), 1);
}

static void looks_are_taken_one_after_the_other(void **state)
{
	struct house *h = *state;
	struct worker *database = worker(h, DATABASE, 1);

	h->generation[DATABASE].plan.ready.kind = READY_EXEC;
	begin(database, 10, 1);
	database->probe.next = 100 * MS;
	decide(h, 50 * MS);
	assert_int_equal(ordered(h, ORDER_LOOK, DATABASE), 0);
	assert_true(h->orders.wake == 100 * MS);
	decide(h, 100 * MS);
	assert_int_equal(ordered(h, ORDER_LOOK, DATABASE), 1);
	database->probe.pid = 99;
	database->probe.deadline = 900 * MS;
	decide(h, 200 * MS);
	assert_int_equal(ordered(h, ORDER_LOOK, DATABASE), 0);
	decide(h, 900 * MS);
	assert_int_equal(ordered(h, ORDER_END_PROBE, DATABASE), 1);
}

static void a_worker_not_ready_in_time_is_given_up(void **state)
{
	struct house *h = *state;
	struct worker *web = worker(h, WEB, 1);

	begin(web, 12, 1000);
	decide(h, 5 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_GIVE_UP, WEB), 0);
	assert_true(h->orders.wake == 1000 + 5 * SECOND_US);
	decide(h, 1000 + 5 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_GIVE_UP, WEB), 1);
	worker_becomes(web, WORKER_STOPPING, 6 * SECOND_US);
	decide(h, 9 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, WEB), 1);
	worker_becomes(web, WORKER_KILLED, 9 * SECOND_US);
	assert_true(after(h, web, true, 9, 9 * SECOND_US).failed);
	assert_true(after(h, web, true, 9, 9 * SECOND_US).retry_at == 10 * SECOND_US);
}

static void what_was_said_in_time_counts_even_when_heard_late(void **state)
{
	struct house *h = *state;

	begin(worker(h, WEB, 1), 12, 1);
	worker(h, WEB, 1)->seems_ready = true;
	decide(h, 3600 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_WELCOME, WEB), 1);
	assert_int_equal(ordered(h, ORDER_GIVE_UP, WEB), 0);
}

static void waits_double_up_to_the_longest(void **state)
{
	static const int64_t seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

	(void)state;
	for (unsigned i = 0; i < COUNT(seconds); i++)
		assert_true(verdict_backoff(&usual, i + 1, 0) == seconds[i] * SECOND_US);
	assert_true(verdict_backoff(&usual, UINT32_MAX, 0) == 60 * SECOND_US);
}

static void waits_are_spread_by_a_tenth(void **state)
{
	(void)state;
	for (uint32_t random = 0; random < 5000; random++) {
		int64_t wait = verdict_backoff(&usual, 2, random);

		assert_true(wait >= 2 * SECOND_US);
		assert_true(wait < 2 * SECOND_US + SECOND_US / 5);
	}
	assert_true(verdict_backoff(&usual, 2, 1) != verdict_backoff(&usual, 2, 1000));
	assert_true(verdict_backoff(&usual, 1, UINT32_MAX) < SECOND_US + SECOND_US / 10);
}

static void an_exit_with_0_before_it_was_ready_is_a_crash(void **state)
{
	struct house *h = *state;
	struct verdict verdict;

	begin(worker(h, WEB, 1), 12, 1);
	verdict = after(h, worker(h, WEB, 1), false, 0, 2);
	assert_true(verdict.failed);
	assert_int_equal(verdict.failures, 1);
	assert_true(verdict.retry_at == 2 + SECOND_US);
}

static void an_exit_with_0_of_a_ready_fastcgi_worker_is_a_renewal(void **state)
{
	struct house *h = *state;
	struct verdict verdict;

	make_ready(worker(h, WEB, 1), 12, 1);
	worker(h, WEB, 1)->failures = 3;
	verdict = after(h, worker(h, WEB, 1), false, 0, 2);
	assert_false(verdict.failed);
	assert_int_equal(verdict.failures, 0);
	assert_true(verdict.retry_at == 2);
}

static void a_worker_that_only_runs_and_exits_with_0_at_once_fails(void **state)
{
	struct house *h = *state;

	make_ready(worker(h, CRON, 1), 14, 1);
	assert_true(after(h, worker(h, CRON, 1), false, 0, 100 * MS).failed);
	assert_false(after(h, worker(h, CRON, 1), false, 0, 2 * SECOND_US).failed);
}

static void a_service_should_not_end_at_all(void **state)
{
	struct house *h = *state;

	make_ready(worker(h, DATABASE, 1), 10, 1);
	assert_true(after(h, worker(h, DATABASE, 1), false, 0, 2 * SECOND_US).failed);
}

static void a_first_crash_of_one_that_served_is_made_good_at_once(void **state)
{
	struct house *h = *state;
	struct worker *web = worker(h, WEB, 1);
	struct verdict verdict;

	make_ready(web, 12, 1);
	verdict = after(h, web, true, 9, 2 * SECOND_US);
	assert_true(verdict.failed);
	assert_true(verdict.retry_at == 2 * SECOND_US);
	web->failures = verdict.failures;
	verdict = after(h, web, true, 9, 2 * SECOND_US);
	assert_true(verdict.retry_at == 4 * SECOND_US);
}

static void good_service_forgives(void **state)
{
	struct house *h = *state;
	struct worker *web = worker(h, WEB, 1);
	struct verdict verdict;

	make_ready(web, 12, 1);
	web->failures = 7;
	verdict = after(h, web, true, 11, 9 * SECOND_US);
	assert_int_equal(verdict.failures, 8);
	verdict = after(h, web, true, 11, 1 + 10 * SECOND_US);
	assert_int_equal(verdict.failures, 0);
	assert_true(verdict.failed);
	assert_true(verdict.retry_at == 1 + 10 * SECOND_US);
}

static void fork_that_fails_is_tried_again_later(void **state)
{
	struct house *h = *state;
	struct verdict verdict = verdict_after_no_start(worker(h, WEB, 1), 5, 0);

	assert_true(verdict.retry_at == 5 + SECOND_US);
	assert_int_equal(verdict.failures, 1);
}

static void stops_in_reverse_order(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	pools_stop(h->pools, STOP_ORDERLY, 2);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_STOP, WEB), 2);
	assert_int_equal(ordered(h, ORDER_STOP, CRON), 1);
	assert_int_equal(ordered(h, ORDER_STOP, DATABASE), 0);
	for (size_t slot = 1; slot <= 2; slot++) {
		worker(h, WEB, slot)->pid = 0;
		worker_becomes(worker(h, WEB, slot), WORKER_STOPPED, 3);
	}
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_STOP, DATABASE), 1);
}

static void a_pool_waits_for_the_last_worker_of_the_pool_behind_it(void **state)
{
	struct house *h = *state;

	make_ready(worker(h, DATABASE, 1), 10, 1);
	begin(worker(h, MIGRATE, 1), 11, 1);
	pools_stop(h->pools, STOP_ORDERLY, 2);
	worker_becomes(worker(h, MIGRATE, 1), WORKER_STOPPING, 2);
	worker_becomes(worker(h, MIGRATE, 1), WORKER_KILLED, 2);
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_STOP, DATABASE), 0);
}

static void what_does_not_run_comes_to_rest(void **state)
{
	struct house *h = *state;

	make_ready(worker(h, DATABASE, 1), 10, 1);
	pools_stop(h->pools, STOP_ORDERLY, 2);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_REST, MIGRATE), 1);
	assert_int_equal(ordered(h, ORDER_REST, WEB), 2);
	assert_int_equal(ordered(h, ORDER_REST, CRON), 1);
	assert_int_equal(ordered(h, ORDER_START, CRON), 0);
}

static void what_does_not_end_is_killed(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	pools_stop(h->pools, STOP_ORDERLY, 2);
	worker_becomes(worker(h, CRON, 1), WORKER_STOPPING, 2);
	decide(h, 3 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, CRON), 0);
	assert_true(h->orders.wake == 2 + 3 * SECOND_US);
	decide(h, 2 + 3 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, CRON), 1);
}

static void what_was_slept_through_is_held_against_nobody(void **state)
{
	struct house *h = *state;
	struct worker *starts = worker(h, CRON, 1), *ends = worker(h, WEB, 1);

	begin(starts, 14, 1 * SECOND_US);
	h->generation[CRON].plan.ready.kind = READY_NOTIFY;
	make_ready(ends, 12, 1 * SECOND_US);
	worker_becomes(ends, WORKER_STOPPING, 1 * SECOND_US);
	h->pools->pause = (struct pause){ .ended = 100 * SECOND_US, .length = 99 * SECOND_US };
	decide(h, 100 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, WEB), 0);
	assert_int_equal(ordered(h, ORDER_GIVE_UP, CRON), 0);
	decide(h, (1 + 3 + 99) * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, WEB), 1);
	decide(h, (1 + 5 + 99) * SECOND_US);
	assert_int_equal(ordered(h, ORDER_GIVE_UP, CRON), 1);
}

static void who_comes_after_a_pause_gets_no_more_than_usual(void **state)
{
	struct house *h = *state;

	h->pools->pause = (struct pause){ .ended = 100 * SECOND_US, .length = 99 * SECOND_US };
	make_ready(worker(h, WEB, 1), 12, 100 * SECOND_US);
	worker_becomes(worker(h, WEB, 1), WORKER_STOPPING, 100 * SECOND_US);
	decide(h, 103 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, WEB), 1);
}

static void a_quick_stop_knows_no_order_and_little_patience(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	h->conf[CRON].stop_timeout = 60000;
	pools_stop(h->pools, STOP_ORDERLY, 2);
	worker_becomes(worker(h, CRON, 1), WORKER_STOPPING, 2);
	pools_stop(h->pools, STOP_QUICK, 5 * SECOND_US);
	decide(h, 5 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_STOP, DATABASE), 1);
	assert_int_equal(ordered(h, ORDER_STOP, WEB), 2);
	assert_int_equal(ordered(h, ORDER_KILL, CRON), 0);
	decide(h, 7 * SECOND_US);
	assert_int_equal(ordered(h, ORDER_KILL, CRON), 1);
}

static void a_quick_stop_is_never_made_slow_again(void **state)
{
	struct house *h = *state;

	pools_stop(h->pools, STOP_QUICK, 5);
	pools_stop(h->pools, STOP_ORDERLY, 9);
	assert_int_equal(h->pools->stopping, STOP_QUICK);
	assert_true(h->pools->stopping_since == 5);
}

static void while_stopping_nothing_starts_again(void **state)
{
	struct house *h = *state;
	struct verdict verdict;

	all_are_up(h, 1);
	pools_stop(h->pools, STOP_ORDERLY, 2);
	verdict = after(h, worker(h, DATABASE, 1), true, 11, 3);
	assert_int_equal(verdict.next, WORKER_STOPPED);
	assert_true(verdict.failed);
	worker_becomes(worker(h, WEB, 1), WORKER_STOPPING, 3);
	verdict = after(h, worker(h, WEB, 1), true, 15, 3);
	assert_int_equal(verdict.next, WORKER_STOPPED);
	assert_false(verdict.failed);
}

static void a_ready_house_asks_for_nothing(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	decide(h, 100 * SECOND_US);
	assert_int_equal(h->orders.count, 0);
	assert_true(h->orders.wake == LOOP_FOREVER);
	assert_true(pools_are_ready(h->pools));
}

static size_t recycled(struct house *h)
{
	return ordered(h, ORDER_RECYCLE, WEB);
}

static void an_old_worker_is_replaced_one_at_a_time(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	worker(h, WEB, 1)->age_limit = worker(h, WEB, 2)->age_limit = 60 * SECOND_US;
	decide(h, 2);
	assert_int_equal(recycled(h), 0);
	assert_true(h->orders.wake == 1 + 60 * SECOND_US);
	decide(h, 1 + 60 * SECOND_US);
	assert_int_equal(recycled(h), 1);
	assert_string_equal(policy_is_due(worker(h, WEB, 1), 1 + 60 * SECOND_US), "max_age");
}

static void while_one_is_replaced_no_other_is(void **state)
{
	struct house *h = *state;
	struct worker *first = worker(h, WEB, 1), *second = worker(h, WEB, 2);

	all_are_up(h, 1);
	first->request_limit = 10;
	first->requests = 10;
	second->replaces = first;
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_RELIEVE, WEB), 1);
	assert_int_equal(recycled(h), 0);
	second->replaces = NULL;
	first->leaving = true;
	second->request_limit = second->requests = 10;
	decide(h, 3);
	assert_int_equal(recycled(h), 0);
	assert_int_equal(ordered(h, ORDER_STOP, WEB), 1);
}

static void a_pool_that_is_not_well_recycles_nobody(void **state)
{
	struct house *h = *state;

	make_ready(worker(h, WEB, 1), 12, 1);
	worker(h, WEB, 1)->memory = 2 << 20;
	h->conf[WEB].max_memory = 1 << 20;
	decide(h, 2);
	assert_int_equal(recycled(h), 0);
	make_ready(worker(h, WEB, 2), 13, 2);
	decide(h, 3);
	assert_int_equal(recycled(h), 1);
}

static void who_leaves_is_not_followed_by_another(void **state)
{
	struct house *h = *state;
	struct worker *web = worker(h, WEB, 2);

	all_are_up(h, 1);
	web->leaving = true;
	assert_int_equal(after(h, web, true, 11, 5 * SECOND_US).next, WORKER_STOPPED);
	web->leaving = false;
	worker(h, WEB, 1)->replaces = web;
	assert_int_equal(after(h, web, true, 11, 5 * SECOND_US).next, WORKER_STOPPED);
}

static void a_generation_that_leaves_asks_its_workers_to_end(void **state)
{
	struct house *h = *state;
	struct worker *web = worker(h, WEB, 1);

	all_are_up(h, 1);
	h->generation[WEB].phase = GENERATION_LEAVING;
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_STOP, WEB), 2);
	assert_int_equal(after(h, web, false, 0, 3).next, WORKER_STOPPED);
	h->generation[WEB].phase = GENERATION_EMPTYING;
	assert_int_equal(after(h, web, false, 0, 3).next, WORKER_WAITING);
}

/* A next generation of one worker, beside the one that serves. */
static struct worker *comes(struct house *h, int pool)
{
	struct generation *next = arena_alloc(h->arena, sizeof(*next));
	struct worker *worker = arena_alloc(h->arena, sizeof(*worker));

	*next = h->generation[pool];
	next->phase = GENERATION_COMING;
	next->older = &h->generation[pool];
	next->worker = arena_alloc(h->arena, sizeof(struct worker *));
	next->worker[0] = worker;
	next->count = 1;
	*worker = (struct worker){ .generation = next, .slot = 1, .name = "next", .probe.fd = -1 };
	h->pool[pool].newest = next;
	return worker;
}

static void a_coming_generation_waits_for_those_that_come_with_it(void **state)
{
	struct house *h = *state;
	struct worker *migrate, *web;

	all_are_up(h, 1);
	migrate = comes(h, MIGRATE);
	web = comes(h, WEB);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_START, MIGRATE), 1);
	assert_int_equal(ordered(h, ORDER_START, WEB), 0);
	begin(migrate, 21, 2);
	worker_becomes(migrate, WORKER_DONE, 3);
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_START, WEB), 1);
	assert_ptr_equal(h->orders.order[0].worker, web);
}

static void of_a_service_there_are_never_two(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	comes(h, DATABASE);
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_START, DATABASE), 0);
	worker(h, DATABASE, 1)->pid = 0;
	decide(h, 3);
	assert_int_equal(ordered(h, ORDER_START, DATABASE), 1);
}

static void a_generation_begins_to_leave_in_its_turn(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	assert_false(policy_may_retire(h->pools, &h->generation[WEB]));
	pools_stop(h->pools, STOP_ORDERLY, 2);
	assert_true(policy_may_retire(h->pools, &h->generation[WEB]));
	assert_false(policy_may_retire(h->pools, &h->generation[DATABASE]));
}

static void of_removed_pools_too_the_last_to_come_goes_first(void **state)
{
	struct house *h = *state;

	all_are_up(h, 1);
	h->pool[DATABASE].removed = h->pool[WEB].removed = true;
	assert_true(policy_may_retire(h->pools, &h->generation[WEB]));
	assert_false(policy_may_retire(h->pools, &h->generation[DATABASE]));
	assert_false(policy_may_retire(h->pools, &h->generation[CRON]));
}

/* A web worker that seems ready and has a request to answer first. */
static struct worker *worker_on_trial(struct house *h, int64_t now)
{
	struct worker *w = worker(h, WEB, 1);

	all_are_up(h, now);
	worker_becomes(w, WORKER_WAITING, now);
	begin(w, 20, now);
	w->seems_ready = true;
	h->generation[WEB].plan.trial.request = "a request";
	h->conf[WEB].canary_timeout = 100;
	return w;
}

static void a_worker_on_trial_counts_as_ready_once_it_has_answered(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_on_trial(h, 1);

	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_TRY, WEB), 1);
	assert_int_equal(h->orders.count, 1);
	w->trial.state = TRIAL_UNDER_WAY;
	w->trial.begun = 1;
	decide(h, 3);
	assert_int_equal(h->orders.count, 0);
	assert_true(h->orders.wake == 1 + 100 * MS);
	w->trial.state = TRIAL_PASSED;
	decide(h, 4);
	assert_int_equal(ordered(h, ORDER_WELCOME, WEB), 1);
}

static void a_worker_that_does_not_answer_or_not_well_is_rejected(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_on_trial(h, 1);

	w->trial = (struct trial){ .state = TRIAL_UNDER_WAY, .begun = 1 };
	decide(h, 1 + 100 * MS);
	assert_int_equal(ordered(h, ORDER_REJECT, WEB), 1);
	w->trial = (struct trial){ .state = TRIAL_FAILED, .next = 200 * MS, .begun = 1 };
	decide(h, 150 * MS);
	assert_int_equal(h->orders.count, 0);
	decide(h, 200 * MS);
	assert_int_equal(ordered(h, ORDER_REJECT, WEB), 1);
}

static void a_request_that_cannot_be_made_yet_is_tried_until_its_time_is_up(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_on_trial(h, 1);

	w->trial = (struct trial){ .next = 50 * MS, .begun = 1 };
	decide(h, 20 * MS);
	assert_int_equal(h->orders.count, 0);
	decide(h, 50 * MS);
	assert_int_equal(ordered(h, ORDER_TRY, WEB), 1);
	w->trial.next = 120 * MS;
	decide(h, 1 + 100 * MS);
	assert_int_equal(ordered(h, ORDER_REJECT, WEB), 1);
}

static void in_a_proven_generation_nobody_is_tried(void **state)
{
	struct house *h = *state;

	worker_on_trial(h, 1);
	h->generation[WEB].proven = true;
	decide(h, 2);
	assert_int_equal(ordered(h, ORDER_WELCOME, WEB), 1);
}

/* --- looking where a worker hangs --- */

static struct inquest *somebody_looks(void)
{
	static char any;

	return (struct inquest *)(void *)&any; /* only whether there is one counts */
}

/* A worker of CRON that was asked to end at 0, or will be when it was looked at. */
static struct worker *worker_that_hangs(struct house *h)
{
	struct worker *w = worker(h, CRON, 1);

	all_are_up(h, 0);
	h->conf[CRON].trace_timeout = 1000; /* and stop_timeout is 3000 */
	worker_becomes(w, WORKER_STOPPING, 0);
	return w;
}

static void the_stop_signal_waits_for_the_look_but_not_for_long(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_that_hangs(h);

	w->inquest = somebody_looks();
	w->explained = true;
	w->signal_at = 1000 * MS;
	decide(h, 999 * MS);
	assert_int_equal(h->orders.count, 0);
	assert_true(h->orders.wake == 1000 * MS);
	decide(h, 1000 * MS);
	assert_int_equal(ordered(h, ORDER_SIGNAL, CRON), 1);
	w->inquest = NULL;
	decide(h, 10 * MS);
	assert_int_equal(ordered(h, ORDER_SIGNAL, CRON), 1);
	w->signal_at = 0;
	decide(h, 20 * MS);
	assert_int_equal(h->orders.count, 0);
}

static void whoever_looks_it_is_killed_in_time(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_that_hangs(h);

	w->inquest = somebody_looks();
	w->explained = true;
	w->signal_at = 5000 * MS; /* even so */
	decide(h, 2999 * MS);
	assert_int_equal(h->orders.count, 0);
	decide(h, 3000 * MS);
	assert_int_equal(ordered(h, ORDER_KILL, CRON), 1);
}

static void before_it_is_killed_it_is_looked_at_once(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_that_hangs(h);

	decide(h, 1999 * MS);
	assert_int_equal(h->orders.count, 0);
	assert_true(h->orders.wake == 2000 * MS);
	decide(h, 2000 * MS);
	assert_int_equal(ordered(h, ORDER_EXPLAIN, CRON), 1);
	w->explained = true;
	decide(h, 2001 * MS);
	assert_int_equal(h->orders.count, 0);
	assert_true(h->orders.wake == 3000 * MS);
}

static void a_look_takes_no_more_than_half_of_the_time(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_that_hangs(h);

	assert_true(policy_trace_time(w) == 1000 * MS);
	h->conf[CRON].trace_timeout = 60000;
	assert_true(policy_trace_time(w) == 1500 * MS);
}

static void a_quick_stop_waits_for_no_look(void **state)
{
	struct house *h = *state;
	struct worker *w = worker_that_hangs(h);

	pools_stop(h->pools, STOP_QUICK, 1 * MS);
	w->inquest = somebody_looks();
	w->signal_at = 1000 * MS;
	decide(h, 2 * MS);
	assert_int_equal(ordered(h, ORDER_SIGNAL, CRON), 1);
	w->signal_at = 0;
	w->inquest = NULL;
	decide(h, 2000 * MS);
	assert_int_equal(ordered(h, ORDER_EXPLAIN, CRON), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	const struct CMUnitTest policy[] = {
		TEST(starts_only_what_waits_for_nothing),
		TEST(a_pool_starts_when_those_before_it_are_ready),
		TEST(a_task_lets_others_start_when_it_has_ended_with_0),
		TEST(a_task_that_fails_is_tried_again_and_holds_up_the_rest),
		TEST(a_task_may_run_for_as_long_as_it_likes),
		TEST(once_begun_a_pool_restarts_whatever_the_others_do),
		TEST(without_a_rule_a_worker_is_ready_once_it_runs),
		TEST(a_worker_that_must_say_so_is_ready_when_it_does),
		TEST(looks_are_taken_one_after_the_other),
		TEST(a_worker_not_ready_in_time_is_given_up),
		TEST(what_was_said_in_time_counts_even_when_heard_late),
		TEST(waits_double_up_to_the_longest),
		TEST(waits_are_spread_by_a_tenth),
		TEST(an_exit_with_0_before_it_was_ready_is_a_crash),
		TEST(an_exit_with_0_of_a_ready_fastcgi_worker_is_a_renewal),
		TEST(a_worker_that_only_runs_and_exits_with_0_at_once_fails),
		TEST(a_service_should_not_end_at_all),
		TEST(a_first_crash_of_one_that_served_is_made_good_at_once),
		TEST(good_service_forgives),
		TEST(fork_that_fails_is_tried_again_later),
		TEST(stops_in_reverse_order),
		TEST(a_pool_waits_for_the_last_worker_of_the_pool_behind_it),
		TEST(what_does_not_run_comes_to_rest),
		TEST(what_does_not_end_is_killed),
		TEST(what_was_slept_through_is_held_against_nobody),
		TEST(who_comes_after_a_pause_gets_no_more_than_usual),
		TEST(a_quick_stop_knows_no_order_and_little_patience),
		TEST(a_quick_stop_is_never_made_slow_again),
		TEST(while_stopping_nothing_starts_again),
		TEST(a_ready_house_asks_for_nothing),
		TEST(an_old_worker_is_replaced_one_at_a_time),
		TEST(while_one_is_replaced_no_other_is),
		TEST(a_pool_that_is_not_well_recycles_nobody),
		TEST(who_leaves_is_not_followed_by_another),
		TEST(a_generation_that_leaves_asks_its_workers_to_end),
		TEST(a_coming_generation_waits_for_those_that_come_with_it),
		TEST(of_a_service_there_are_never_two),
		TEST(a_generation_begins_to_leave_in_its_turn),
		TEST(of_removed_pools_too_the_last_to_come_goes_first),
		TEST(a_worker_on_trial_counts_as_ready_once_it_has_answered),
		TEST(a_worker_that_does_not_answer_or_not_well_is_rejected),
		TEST(a_request_that_cannot_be_made_yet_is_tried_until_its_time_is_up),
		TEST(in_a_proven_generation_nobody_is_tried),
		TEST(the_stop_signal_waits_for_the_look_but_not_for_long),
		TEST(whoever_looks_it_is_killed_in_time),
		TEST(before_it_is_killed_it_is_looked_at_once),
		TEST(a_look_takes_no_more_than_half_of_the_time),
		TEST(a_quick_stop_waits_for_no_look),
	};

	return cmocka_run_group_tests(policy, NULL, NULL);
}
