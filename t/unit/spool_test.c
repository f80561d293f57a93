/* spool_test.c - what is kept on the disk comes out once, whole and in its order, whoever dies
 * when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/spool_files.h"
#include "t/unit/redis_server.h"

#define PATIENCE (30 * SECOND_US)

static struct {
	struct arena *arena;
	char folder[64];
	struct spool_options options;
	struct spool *spool;
	struct broker *broker;
	struct broker_options broker_options;
	int number;
} with;

/* --- what the tests share --- */

static int start(void **state)
{
	(void)state;
	with.arena = arena_new(1 << 20);
	return redis_server_start(with.arena);
}

static int end(void **state)
{
	(void)state;
	arena_free(&with.arena);
	return redis_server_end();
}

static struct spool *open_spool(void)
{
	const char *wrong = NULL;
	struct spool *spool = spool_open(&with.options, with.arena, &wrong);

	if (spool == NULL)
		print_error("%s\n", wrong);
	assert_non_null(spool);
	return spool;
}

static int make_folder(void **state)
{
	const char *wrong = NULL;

	(void)state;
	arena_reset(with.arena);
	strcpy(with.folder, "/tmp/ostler-spool-XXXXXX");
	assert_non_null(mkdtemp(with.folder));
	with.options = (struct spool_options){ .folder = arena_print(
						   with.arena, "%s/s", with.folder),
		.bytes_most = 64 << 20,
		.segment_most = 20000,
		.retry_ms = 10 };
	with.broker_options = (struct broker_options){ .where = arena_print(with.arena, "redis:%s",
							   redis_server_address()),
		.stream = arena_print(with.arena, "spool-%d", with.number++),
		.partitions = 4,
		.connections = 2,
		.timeout_ms = 5000,
		.retry_ms = 1 };
	with.broker = broker_open(&with.broker_options, with.arena, &wrong);
	assert_non_null(with.broker);
	with.spool = open_spool();
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	spool_close(&with.spool);
	broker_close(&with.broker);
	return system(arena_print(with.arena, "rm -rf %s", with.folder));
}

static struct broker_message message(int key, int number)
{
	const char *body = arena_print(with.arena, "%d:%d", key, number);

	return (
	    struct broker_message){ arena_print(with.arena, "user-%d", key), body, strlen(body) };
}

/* COUNT messages from FROM on, of 20 keys in turn, in calls of EACH. */
static void keep(struct spool *spool, int from, int count, int each)
{
	struct broker_message messages[100];

	for (int i = 0; i < count; i += each) {
		for (int j = 0; j < each; j++)
			messages[j] = message((from + i + j) % 20, from + i + j);
		assert_int_equal(
		    spool_keep(spool, with.arena, messages, (size_t)each, false), SPOOL_KEPT);
	}
}

static void wait_until_empty(struct spool *spool)
{
	int64_t deadline = clock_now() + PATIENCE;

	while (!spool_is_empty(spool)) {
		assert_true(clock_now() < deadline);
		usleep(2000);
	}
}

/* Everything below COUNT is in the broker, and in the order of its key; once, unless MAY_REPEAT. */
static void check_broker(int count, bool may_repeat)
{
	static int times[20000], last[20];
	struct broker_group group = {
		.name = "g", .member = "m", .lease_ms = 2000, .batch_most = 1000
	};
	struct broker_reader *reader = broker_join(with.broker, &group);
	int64_t deadline = clock_now() + PATIENCE;
	int seen = 0;

	memset(times, 0, sizeof(times));
	memset(last, -1, sizeof(last));
	while (seen < count) {
		struct broker_batch batch;

		assert_true(clock_now() < deadline);
		assert_true(broker_read(reader, with.arena, &batch, 1000, 20));
		for (size_t i = 0; i < batch.count; i++) {
			int key, number;

			assert_int_equal(sscanf(batch.message[i].body, "%d:%d", &key, &number), 2);
			assert_in_range(number, 0, count - 1);
			if (times[number]++ > 0)
				continue;
			seen++;
			assert_true(number > last[key]);
			last[key] = number;
		}
		assert_true(broker_acknowledge(reader, &batch));
	}
	for (int i = 0; i < count && !may_repeat; i++)
		assert_int_equal(times[i], 1);
	broker_leave(&reader);
}

static int count_segments(void)
{
	DIR *folder = opendir(with.options.folder);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(folder)) != NULL)
		count += strstr(entry->d_name, ".spool") != NULL;
	closedir(folder);
	return count;
}

static const char *last_segment(struct spool *spool)
{
	char name[SEGMENT_NAME];

	segment_name(name, segment_of(spool, UINT64_MAX - 1));
	return arena_print(with.arena, "%s/%s", with.options.folder, name);
}

static void append_bytes(const char *path, const void *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

/* --- the tests --- */

static void what_is_kept_is_drained_once_and_in_order(void **state)
{
	(void)state;
	assert_true(spool_is_empty(with.spool));
	keep(with.spool, 0, 2000, 50);
	keep(with.spool, 2000, 100, 1);
	assert_false(spool_is_empty(with.spool));
	assert_true(count_segments() > 2);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(2100, false);
	spool_close(&with.spool);
	assert_int_equal(count_segments(), 0);
}

static void it_survives_being_closed(void **state)
{
	(void)state;
	keep(with.spool, 0, 500, 10);
	spool_close(&with.spool);
	with.spool = open_spool();
	assert_false(spool_is_empty(with.spool));
	keep(with.spool, 500, 500, 10);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(1000, false);
}

static void a_torn_record_is_dropped_and_nothing_else(void **state)
{
	struct broker_message lost = message(3, 10);
	size_t length;
	char *record = spooled_write(with.arena, &lost, 1, &length);

	(void)state;
	keep(with.spool, 0, 10, 1);
	((struct record_head *)(void *)record)->position = with.spool->state->written;
	append_bytes(last_segment(with.spool), record, length - 3);
	spool_close(&with.spool);
	with.spool = open_spool();
	keep(with.spool, 10, 10, 1);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(20, false);
}

/* Without a restart: another process had died while it wrote. */
static void what_a_dead_writer_left_is_written_over(void **state)
{
	static const char rubbish[3000] = "rubbish";

	(void)state;
	keep(with.spool, 0, 10, 1);
	append_bytes(last_segment(with.spool), rubbish, sizeof(rubbish));
	keep(with.spool, 10, 10, 1);
	spool_close(&with.spool);
	with.spool = open_spool();
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(20, false);
}

/* As after a power cut: segments were synced, the state was not. */
static void a_state_that_is_old_or_lost_is_made_from_the_segments(void **state)
{
	uint64_t then;

	(void)state;
	keep(with.spool, 0, 50, 1);
	then = with.spool->state->written;
	keep(with.spool, 50, 50, 1);
	with.spool->state->written = then;
	spool_close(&with.spool);
	with.spool = open_spool();
	keep(with.spool, 100, 100, 10);
	spool_close(&with.spool);
	assert_int_equal(unlink(arena_print(with.arena, "%s/state", with.options.folder)), 0);
	with.spool = open_spool();
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(200, false);
}

/* The disk's own failure: what stands behind it is saved. */
static void damage_costs_no_more_than_its_segment(void **state)
{
	uint64_t first = 0;
	char name[SEGMENT_NAME];
	int fd;

	(void)state;
	keep(with.spool, 0, 2000, 50);
	segment_name(name, first);
	fd = open(arena_print(with.arena, "%s/%s", with.options.folder, name), O_WRONLY);
	assert_int_equal(pwrite(fd, "damage", 6, 100), 6);
	close(fd);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	assert_true(
	    redis_server_says("XLEN", arena_print(with.arena, "%s:0", with.broker_options.stream))
		.integer > 0);
}

static void more_than_it_may_hold_is_refused(void **state)
{
	enum spool_fate fate;
	int kept = 0;

	(void)state;
	spool_close(&with.spool);
	with.options.bytes_most = 5000;
	with.spool = open_spool();
	do {
		struct broker_message one = message(kept % 20, kept);

		fate = spool_keep(with.spool, with.arena, &one, 1, false);
		kept += fate == SPOOL_KEPT;
	} while (fate == SPOOL_KEPT);
	assert_int_equal(fate, SPOOL_FULL);
	assert_in_range(kept, 50, 150);
	assert_in_range(spool_waiting(with.spool), 4900, 5000);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(kept, false);
	keep(with.spool, kept, 1, 1);
}

/* RLIMIT_FSIZE is to a file what a full disk is: a write that stops half way. */
static void a_disk_that_is_full_loses_nothing_that_was_kept(void **state)
{
	struct broker_message big = { "user-1", arena_alloc(with.arena, 9000), 9000 };
	pid_t child;
	int status;

	(void)state;
	keep(with.spool, 0, 10, 1);
	child = fork();
	if (child == 0) {
		struct broker_message small = message(10 % 20, 10);
		const struct rlimit limit = { 4096, 4096 };
		bool well;

		signal(SIGXFSZ, SIG_IGN);
		well = setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
		       spool_keep(with.spool, with.arena, &big, 1, false) == SPOOL_FULL &&
		       spool_keep(with.spool, with.arena, &small, 1, false) == SPOOL_KEPT;
		_exit(well ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	keep(with.spool, 11, 9, 1);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(20, false);
}

static void who_may_pass_does_so_only_when_nothing_waits(void **state)
{
	struct broker_message one = message(0, 0);

	(void)state;
	assert_int_equal(spool_keep(with.spool, with.arena, &one, 1, true), SPOOL_PASSED);
	assert_int_equal(spool_keep(with.spool, with.arena, &one, 1, false), SPOOL_KEPT);
	one = message(1, 1);
	assert_int_equal(spool_keep(with.spool, with.arena, &one, 1, true), SPOOL_KEPT);
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(2, false);
	assert_int_equal(spool_keep(with.spool, with.arena, &one, 1, true), SPOOL_PASSED);
}

/* --- many at once --- */

struct publisher {
	pthread_t thread;
	struct spool *spool;
	int key, count, direct;
};

/* As a client that sends one message of its key after the other, each when the last was taken. */
static void *publish_all(void *opened)
{
	struct publisher *p = opened;
	struct arena *arena = arena_new(0);

	for (int i = 0; i < p->count; i++) {
		const char *body = arena_print(arena, "%d:%d", p->key, i * 20 + p->key);
		struct broker_message one = { arena_print(arena, "user-%d", p->key), body,
			strlen(body) };

		if (!spool_is_empty(p->spool) || i == 0) {
			if (spool_keep(p->spool, arena, &one, 1, i > 0) == SPOOL_KEPT)
				continue;
		}
		assert_true(broker_publish(with.broker, arena, &one, 1));
		p->direct++;
	}
	arena_free(&arena);
	return NULL;
}

/* New messages come faster than they could ever be drained one by one: still it ends. */
static void order_holds_for_what_comes_while_it_drains(void **state)
{
	struct publisher publishers[20];
	int direct = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		publishers[i] = (struct publisher){ .spool = with.spool, .key = i, .count = 300 };
		pthread_create(&publishers[i].thread, NULL, publish_all, &publishers[i]);
		if (i == 10)
			spool_drain_into(with.spool, with.broker);
	}
	for (int i = 0; i < 20; i++) {
		pthread_join(publishers[i].thread, NULL);
		direct += publishers[i].direct;
	}
	wait_until_empty(with.spool);
	assert_true(direct > 0);
	check_broker(6000, false);
}

/* Two processes share one spool; the one that drains is killed again and again. */
static void who_drains_may_be_killed(void **state)
{
	(void)state;
	keep(with.spool, 0, 10000, 20);
	for (int i = 0; i < 20 && !spool_is_empty(with.spool); i++) {
		pid_t child = fork();

		if (child == 0) {
			const char *wrong = NULL;
			struct spool *ours = spool_open(&with.options, with.arena, &wrong);
			struct broker *broker = broker_open(
			    &with.broker_options, with.arena, &wrong);

			spool_drain_into(ours, broker);
			pause();
		}
		usleep(3000 + 1000 * (unsigned)i);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	spool_drain_into(with.spool, with.broker);
	wait_until_empty(with.spool);
	check_broker(10000, true);
}

static void a_folder_that_cannot_be_is_refused(void **state)
{
	struct spool_options options = with.options;
	const char *wrong = NULL;

	(void)state;
	options.folder = "/nowhere/at/all";
	assert_null(spool_open(&options, with.arena, &wrong));
	assert_non_null(strstr(wrong, "/nowhere/at/all: No such file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int main(void)
{
	const struct CMUnitTest spool[] = {
		TEST(what_is_kept_is_drained_once_and_in_order),
		TEST(it_survives_being_closed),
		TEST(a_torn_record_is_dropped_and_nothing_else),
		TEST(what_a_dead_writer_left_is_written_over),
		TEST(a_state_that_is_old_or_lost_is_made_from_the_segments),
		TEST(damage_costs_no_more_than_its_segment),
		TEST(more_than_it_may_hold_is_refused),
		TEST(a_disk_that_is_full_loses_nothing_that_was_kept),
		TEST(who_may_pass_does_so_only_when_nothing_waits),
		TEST(order_holds_for_what_comes_while_it_drains),
		TEST(who_drains_may_be_killed),
		TEST(a_folder_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(spool, start, end);
}
