/* slots_test.c - not more at once than there are slots, over threads and processes, come what may.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slots.h"

#define SOON  (clock_now() + 20000)
#define LATER (clock_now() + 20 * SECOND_US)

static char path[64];

static int start(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/slots-test-%d", (int)getpid());
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void not_more_than_there_are(void **state)
{
	static const char *const places[] = { "", path };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct slots *slots = slots_open(places[i], 2);
		int one = slots_take(slots, SOON), two = slots_take(slots, SOON);

		assert_true(one >= 0 && two >= 0 && one != two);
		assert_int_equal(slots_take(slots, SOON), -1);
		slots_give_back(slots, one);
		one = slots_take(slots, SOON);
		assert_true(one >= 0);
		slots_give_back(slots, one);
		slots_give_back(slots, two);
		slots_close(&slots);
		assert_null(slots);
	}
}

/* A process that takes all slots, says so and stays until it is killed. */
static pid_t holder(int count, int *told)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct slots *slots = slots_open(path, count);

		for (int i = 0; i < count; i++)
			if (slots_take(slots, LATER) < 0)
				_exit(1);
		(void)!write(ends[1], "x", 1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	*told = ends[0];
	return pid;
}

static void who_is_killed_holds_nothing(void **state)
{
	struct slots *slots = slots_open(path, 3);
	int told, slot;
	char byte;
	pid_t pid = holder(3, &told);

	(void)state;
	assert_int_equal(read(told, &byte, 1), 1);
	assert_int_equal(slots_take(slots, SOON), -1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	slot = slots_take(slots, LATER);
	assert_true(slot >= 0);
	slots_give_back(slots, slot);
	slots_close(&slots);
	close(told);
}

struct crowd {
	struct slots *slots;
	atomic_int inside, most, done;
};

static void *visitor(void *given)
{
	struct crowd *crowd = given;

	for (int i = 0; i < 20; i++) {
		int slot = slots_take(crowd->slots, LATER), now, most;

		if (slot < 0)
			return NULL;
		now = atomic_fetch_add(&crowd->inside, 1) + 1;
		most = atomic_load(&crowd->most);
		while (now > most && !atomic_compare_exchange_weak(&crowd->most, &most, now))
			;
		usleep(200);
		atomic_fetch_sub(&crowd->inside, 1);
		slots_give_back(crowd->slots, slot);
	}
	atomic_fetch_add(&crowd->done, 1);
	return NULL;
}

static void threads_take_turns(void **state)
{
	struct crowd crowd = { .slots = slots_open(path, 3) };
	pthread_t threads[12];

	(void)state;
	for (int i = 0; i < 12; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, visitor, &crowd), 0);
	for (int i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.done, 12);
	assert_true(crowd.most <= 3 && crowd.most >= 2);
	slots_close(&crowd.slots);
}

static void a_file_that_cannot_be_is_told(void **state)
{
	(void)state;
	assert_null(slots_open("/nonexistent/folder/slots", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(not_more_than_there_are, start, end),
		cmocka_unit_test_setup_teardown(who_is_killed_holds_nothing, start, end),
		cmocka_unit_test_setup_teardown(threads_take_turns, start, end),
		cmocka_unit_test(a_file_that_cannot_be_is_told),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
