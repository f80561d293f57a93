/* demand_test.c - what is seen of a pool's workers together, without a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "supervisor/pool/demand.h"

#define NOW (1000 * SECOND_US)

/* Four workers of a pool without a socket, which are ready and have one idle thread each. */
struct crew {
	struct pool_conf conf;
	struct pool pool;
	struct generation generation;
	struct worker worker[4], *list[4];
	struct scale_look look;
};

static struct crew *assemble(struct crew *c)
{
	*c = (struct crew){ .conf = { .kind = KIND_WORKER, .good_service = 10000 } };
	c->generation = (struct generation){ .pool = &c->pool, .worker = c->list, .count = 4 };
	c->generation.plan.conf = &c->conf;
	for (size_t i = 0; i < 4; i++) {
		c->list[i] = &c->worker[i];
		c->worker[i] = (struct worker){ .generation = &c->generation,
			.slot = i + 1,
			.state = WORKER_READY,
			.ready_since = NOW - SECOND_US,
			.sight = { .busy = 0, .idle = 1, .memory = -1 } };
	}
	return c;
}

static void look(struct crew *c)
{
	demand_look(&c->generation, NOW, &c->look);
}

static void threads_at_work_are_added_up(void **state)
{
	struct crew crew, *c = assemble(&crew);

	(void)state;
	look(c);
	assert_int_equal(c->look.workers, 4);
	assert_int_equal(c->look.ready, 4);
	assert_int_equal(c->look.busy, 0);
	assert_int_equal(c->look.threads, 1);
	assert_false(c->look.unseen);
	assert_false(c->look.failing);
	for (size_t i = 0; i < 4; i++)
		c->worker[i].sight.busy = c->worker[i].sight.idle = 8;
	look(c);
	assert_int_equal(c->look.busy, 32);
	assert_int_equal(c->look.threads, 16);
}

static void only_who_stays_counts(void **state)
{
	struct crew crew, *c = assemble(&crew);

	(void)state;
	c->worker[0].leaving = true; /* and runs */
	c->worker[0].pid = 1;
	c->worker[1].leaving = true; /* and has gone */
	c->worker[1].state = WORKER_STOPPED;
	c->worker[2].replaces = &c->worker[3];
	c->worker[3].sight.busy = 1;
	look(c);
	assert_int_equal(c->look.workers, 1);
	assert_int_equal(c->look.leaving, 1);
	assert_int_equal(c->look.busy, 1);
}

static void who_starts_is_not_ready_and_not_looked_at(void **state)
{
	struct crew crew, *c = assemble(&crew);

	(void)state;
	c->worker[0].state = WORKER_STARTING;
	c->worker[0].sight.busy = -1;
	look(c);
	assert_int_equal(c->look.workers, 4);
	assert_int_equal(c->look.ready, 3);
	assert_false(c->look.unseen);
	c->worker[1].sight.busy = -1;
	look(c);
	assert_true(c->look.unseen);
}

static void a_crash_says_something_when_it_is_not_the_first(void **state)
{
	struct crew crew, *c = assemble(&crew);

	(void)state;
	c->worker[0].failures = 1; /* made good at once, and well again */
	look(c);
	assert_false(c->look.failing);
	c->worker[0].state = WORKER_WAITING; /* it could not start, or has just crashed */
	look(c);
	assert_true(c->look.failing);
	c->worker[0].state = WORKER_READY;
	c->worker[0].failures = 2;
	look(c);
	assert_true(c->look.failing);
	c->worker[0].ready_since = NOW - 11 * SECOND_US; /* that is forgiven */
	look(c);
	assert_false(c->look.failing);
	c->worker[1].failures = 5;
	c->worker[1].leaving = true;
	look(c);
	assert_false(c->look.failing);
}

static void what_was_not_measured_is_not_guessed(void **state)
{
	struct crew crew, *c = assemble(&crew);

	(void)state;
	c->worker[0].sight.memory = 3000;
	c->worker[1].sight.memory = 4000;
	look(c);
	assert_int_equal(c->look.memory, 7000);
	assert_int_equal(c->look.measured, 2);
	assert_int_equal(c->look.available, -1);
	c->conf.scale.free_memory = 1;
	look(c);
	assert_true(c->look.available > 0);
}

#define TEST(function) cmocka_unit_test(function)

int main(void)
{
	const struct CMUnitTest demand[] = {
		TEST(threads_at_work_are_added_up),
		TEST(only_who_stays_counts),
		TEST(who_starts_is_not_ready_and_not_looked_at),
		TEST(a_crash_says_something_when_it_is_not_the_first),
		TEST(what_was_not_measured_is_not_guessed),
	};

	return cmocka_run_group_tests(demand, NULL, NULL);
}
