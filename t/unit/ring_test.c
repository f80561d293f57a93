/* ring_test.c - records of many writers: none is broken, whoever is killed when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ring.h"

#define PLACES 64

static char path[64], lock[80];

static int start(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/ring-test-%d", (int)getpid());
	snprintf(lock, sizeof(lock), "%s.lock", path);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	unlink(lock);
	return 0;
}

static struct ring *open_one(void)
{
	struct ring *ring = ring_open(path, PLACES);

	assert_non_null(ring);
	return ring;
}

static void what_is_put_is_read_until_it_is_let_go(void **state)
{
	struct ring *writer = open_one(), *reader = open_one(), *next;
	const void *records[PLACES];

	(void)state;
	assert_true(ring_put(writer, "one", 4));
	assert_int_equal(ring_waiting(reader), 1);
	assert_int_equal(ring_read(reader, records, PLACES), 1);
	assert_string_equal(records[0], "one");
	/* As after a reader that was killed. */
	next = open_one();
	assert_int_equal(ring_read(next, records, PLACES), 1);
	ring_let_go(next, records, 1);
	assert_int_equal(ring_read(reader, records, PLACES), 0);
	ring_close(&next);
	ring_close(&writer);
	ring_close(&reader);
	assert_null(reader);
}

static void what_finds_no_place_is_counted(void **state)
{
	struct ring *ring = open_one();
	const void *records[PLACES];

	(void)state;
	for (int i = 0; i < PLACES; i++)
		assert_true(ring_put(ring, &i, sizeof(i)));
	assert_false(ring_put(ring, "x", 2));
	assert_false(ring_put(ring, "x", 2));
	assert_int_equal(ring_lost(ring), 2);
	assert_int_equal(ring_lost(ring), 0);
	assert_int_equal(ring_read(ring, records, PLACES), PLACES);
	ring_let_go(ring, records, PLACES);
	assert_true(ring_put(ring, "x", 2));
	assert_int_equal(ring_read(ring, records, PLACES), 1);
	ring_let_go(ring, records, 1);
	ring_close(&ring);
}

static void there_is_one_reader(void **state)
{
	struct ring *one = open_one(), *other = open_one();

	(void)state;
	assert_true(ring_reads_alone(one));
	assert_false(ring_reads_alone(other));
	ring_close(&one);
	assert_true(ring_reads_alone(other));
	ring_close(&other);
}

static void another_size_is_another_file(void **state)
{
	struct ring *old = open_one(), *new = ring_open(path, 2 * PLACES);

	(void)state;
	assert_non_null(new);
	assert_true(ring_put(old, "old", 4));
	assert_int_equal(ring_waiting(new), 0);
	ring_close(&old);
	ring_close(&new);
	old = open_one();
	assert_int_equal(ring_waiting(old), 0);
	ring_close(&old);
}

/* A record whose every byte says the same. */
static void *write_for_ever(void *of)
{
	char record[RING_RECORD];

	for (unsigned i = 0;; i++) {
		memset(record, (int)(i & 0xff), sizeof(record));
		(void)ring_put(of, record, sizeof(record));
	}
	return NULL;
}

static pid_t writers(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct ring *ring = ring_open(path, PLACES);
		pthread_t thread;

		if (ring == NULL || pthread_create(&thread, NULL, write_for_ever, ring) != 0)
			_exit(1);
		write_for_ever(ring);
	}
	return pid;
}

static void check_record(const char *record)
{
	for (size_t i = 1; i < RING_RECORD; i++)
		assert_int_equal(record[i], record[0]);
}

/* Writers are killed wherever they happen to be, again and again; their places come back. */
static void writers_that_are_killed_break_nothing(void **state)
{
	struct ring *ring = open_one();
	const void *records[PLACES];
	size_t read = 0;

	(void)state;
	for (int round = 0; round < 60; round++) {
		pid_t pids[2] = { writers(), writers() };
		size_t until = read + PLACES * 4;
		int64_t deadline = clock_now() + 30 * SECOND_US;

		while (read < until && clock_now() < deadline) {
			size_t count = ring_read(ring, records, PLACES);

			for (size_t i = 0; i < count; i++)
				check_record(records[i]);
			ring_let_go(ring, records, count);
			read += count;
		}
		assert_true(read >= until);
		for (int i = 0; i < 2; i++) {
			kill(pids[i], SIGKILL);
			assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		}
	}
	ring_let_go(ring, records, ring_read(ring, records, PLACES));
	for (int i = 0; i < PLACES; i++)
		assert_true(ring_put(ring, "whole", 6));
	ring_close(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_read_until_it_is_let_go),
		cmocka_unit_test(what_finds_no_place_is_counted),
		cmocka_unit_test(there_is_one_reader),
		cmocka_unit_test(another_size_is_another_file),
		cmocka_unit_test(writers_that_are_killed_break_nothing),
	};

	return cmocka_run_group_tests(tests, start, end);
}
