/* cache_test.c - two processes and one Redis: nobody is served what a finished change has made
 * wrong. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/cache.h"
#include "t/unit/redis_server.h"

#define KEY   "tasks:user:1"
#define LEASE "lease:" KEY

/* Each has a pool and a breaker of its own, as the web workers have. */
static struct side {
	struct redis *redis;
	struct cache *cache;
} writer, reader;

static struct redis_options options = {
	.connections = 2, .timeout_ms = 200, .retry_ms = 3600 * 1000
};
static const struct cache_options leases = { .wait_ms = 100, .lease_ms = 5000, .stale_ms = 60000 };
static struct arena *arena;

static int start_server(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_TEXT);
	arena = arena_new(4096);
	options.address = redis_server_address();
	return redis_server_start(arena);
}

static int end_server(void **state)
{
	(void)state;
	arena_free(&arena);
	return redis_server_end();
}

static struct side open_side(const struct redis_options *where)
{
	struct side side = { .redis = redis_open(where) };

	side.cache = cache_open(side.redis, &leases);
	return side;
}

static void close_side(struct side *side)
{
	cache_close(&side->cache);
	redis_close(&side->redis);
}

static int open_sides(void **state)
{
	(void)state;
	(void)redis_server_says("FLUSHALL");
	writer = open_side(&options);
	reader = open_side(&options);
	return 0;
}

static int close_sides(void **state)
{
	(void)state;
	close_side(&writer);
	close_side(&reader);
	arena_reset(arena);
	return 0;
}

static struct cached look(const struct side *side)
{
	struct cached found;

	cache_read(side->cache, arena, KEY, &found);
	return found;
}

static bool keep_for(
    const struct side *side, const struct cached *lease, const char *text, long long seconds)
{
	struct buffer value;

	buffer_start(&value, arena, 64);
	buffer_add_text(&value, text);
	return cache_put(side->cache, lease, &value, seconds);
}

/* As a reader does that has missed. */
static void put(const struct side *side, const char *text)
{
	struct cached missed = look(side);

	assert_null(missed.text);
	assert_true(keep_for(side, &missed, text, 300));
}

static void forget(const struct side *side)
{
	cache_forget(side->cache, arena, (const char *[]){ KEY, NULL }, 0);
}

/* What SIDE finds, or "nothing"; a lease that it is handed is given back. */
static const char *found(const struct side *side)
{
	struct cached cached = look(side);

	cache_release(side->cache, arena, &cached);
	return cached.text != NULL ? arena_copy(arena, cached.text, cached.length) : "nothing";
}

static void what_one_keeps_the_other_finds_until_it_is_forgotten(void **state)
{
	(void)state;
	put(&writer, "old");
	assert_string_equal(found(&reader), "old");
	forget(&writer);
	assert_string_equal(found(&reader), "nothing");
	assert_string_equal(found(&writer), "nothing");
}

static void bytes_of_any_kind_are_kept(void **state)
{
	struct cached missed = look(&writer), kept;
	struct buffer value;

	(void)state;
	buffer_start(&value, arena, 1);
	for (int i = 0; i < 100000; i++)
		buffer_add_char(&value, (char)(i % 256));
	assert_true(cache_put(writer.cache, &missed, &value, 300));
	kept = look(&reader);
	assert_non_null(kept.text);
	assert_int_equal(kept.length, value.length);
	assert_memory_equal(kept.text, value.data, kept.length);
}

/* --- leases --- */

static void one_reader_at_a_time_makes_a_value_anew(void **state)
{
	struct cached first = look(&writer), second = look(&reader);

	(void)state;
	assert_int_equal(first.why, CACHE_MISSING);
	assert_string_not_equal(first.lease, "");
	assert_int_equal(second.why, CACHE_BUSY);
	assert_string_equal(second.lease, "");
	assert_false(keep_for(&reader, &second, "without a lease", 300));
	assert_true(keep_for(&writer, &first, "new", 300));
	assert_string_equal(found(&reader), "new");
	assert_false(keep_for(&writer, &first, "twice", 300));
}

static void a_lease_given_back_is_the_next_ones_at_once(void **state)
{
	struct cached first = look(&writer), second;
	int64_t began = clock_now();

	(void)state;
	cache_release(writer.cache, arena, &first);
	second = look(&reader);
	assert_true(clock_now() - began < SECOND_US);
	assert_string_not_equal(second.lease, "");
	cache_release(writer.cache, arena, &first); /* not its own any more */
	assert_true(keep_for(&reader, &second, "new", 300));
}

static void nobody_waits_for_one_who_is_slow(void **state)
{
	int64_t began;

	(void)state;
	(void)redis_server_says("SET", LEASE, "of one who died", "PX", "4000");
	began = clock_now();
	assert_int_equal(look(&reader).why, CACHE_BUSY);
	assert_true(clock_now() - began < leases.wait_ms * 1000 / 2);
}

/* The change of one writer, at each step of a reader's way: thousands of times, none left behind.
 */
static void a_change_in_the_middle_of_a_renewal_keeps_the_old_value_out(void **state)
{
	enum { COMMIT = 1, DROP };
	char text[32], now[32] = "0", *database = now;

	(void)state;
	for (int round = 1; round <= 4000; round++) {
		/* Where on the reader's way the writer commits, and where it drops. */
		int commits_at = round % 3, drops_at = commits_at + round / 3 % (4 - commits_at);
		struct cached missed = { .key = KEY };

		for (int step = 0; step <= 3; step++) {
			if (step == commits_at)
				snprintf(database, sizeof(now), "%d", round);
			if (step == drops_at)
				forget(&writer);
			if (step == 0)
				missed = look(&reader);
			else if (step == 1)
				snprintf(text, sizeof(text), "%s", database);
			else if (step == 2 && missed.lease[0] != '\0')
				(void)keep_for(&reader, &missed, text, 300);
		}
		snprintf(text, sizeof(text), "%d", round);
		assert_true(
		    strcmp(found(&writer), text) == 0 || strcmp(found(&writer), "nothing") == 0);
		assert_true(
		    strcmp(found(&reader), text) == 0 || strcmp(found(&reader), "nothing") == 0);
		arena_reset(arena);
	}
}

static void a_value_is_renewed_by_one_while_others_are_served_it(void **state)
{
	struct cached first, second;
	int64_t deadline = clock_now() + 20 * SECOND_US;

	(void)state;
	first = look(&writer);
	assert_true(keep_for(&writer, &first, "old", 1));
	assert_string_equal(found(&reader), "old");
	/* In the last fifth of its second it is due, fresh as it is. */
	do
		first = look(&writer);
	while (first.text != NULL && clock_now() < deadline);
	assert_int_equal(first.why, CACHE_DUE);
	second = look(&reader);
	assert_string_equal(arena_copy(arena, second.text, second.length), "old");
	while ((second = look(&reader)).age_ms <= 0)
		assert_true(clock_now() < deadline);
	assert_string_equal(arena_copy(arena, second.text, second.length), "old");
	assert_true(keep_for(&writer, &first, "new", 300));
	assert_string_equal(found(&reader), "new");
}

static void values_made_together_are_due_at_different_times(void **state)
{
	long long earliest = INT64_MAX, latest = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct cached missed = look(&writer);
		long long due;

		assert_true(keep_for(&writer, &missed, "x", 1000));
		due = strtoll(redis_server_says("GET", KEY).text, NULL, 10);
		earliest = due < earliest ? due : earliest;
		latest = due > latest ? due : latest;
		forget(&writer);
	}
	assert_true(latest - earliest > 30 * 1000);
	assert_true(latest - earliest < 130 * 1000);
}

static void while_a_change_is_in_doubt_nothing_is_put(void **state)
{
	struct cached missed = look(&reader);

	(void)state;
	cache_forget(writer.cache, arena, (const char *[]){ KEY, "users_list", NULL }, 60000);
	assert_false(keep_for(&reader, &missed, "old", 300));
	assert_int_equal(look(&reader).why, CACHE_BUSY);
	forget(&writer);
	put(&reader, "new");
}

static void what_is_no_value_of_ours_is_replaced(void **state)
{
	(void)state;
	(void)redis_server_says("SET", KEY, "rubbish");
	put(&reader, "new");
	(void)redis_server_says("DEL", KEY);
	(void)redis_server_says("LPUSH", KEY, "rubbish");
	put(&reader, "new");
	assert_string_equal(found(&writer), "new");
}

static void scripts_that_redis_has_forgotten_are_sent_again(void **state)
{
	(void)state;
	put(&writer, "old");
	forget(&writer);
	(void)redis_server_says("SCRIPT", "FLUSH", "SYNC");
	put(&writer, "new");
	assert_string_equal(found(&reader), "new");
}

/* --- many at once --- */

static struct {
	atomic_llong database, acknowledged;
	atomic_bool ended;
	atomic_llong stale, hits, reads;
} race;

static long long read_through(const struct side *side, struct arena *own)
{
	struct cached got;
	struct buffer value;
	long long version;

	cache_read(side->cache, own, KEY, &got);
	atomic_fetch_add(&race.reads, 1);
	if (got.text != NULL) {
		atomic_fetch_add(&race.hits, 1);
		return strtoll(arena_copy(own, got.text, got.length), NULL, 10);
	}
	version = race.database;
	if (version % 3 == 0)
		sched_yield();
	buffer_start(&value, own, 32);
	buffer_add_integer(&value, version);
	if (got.lease[0] != '\0')
		(void)cache_put(side->cache, &got, &value, 300);
	return version;
}

static void *read_always(void *of)
{
	const struct side *side = of;
	struct arena *own = arena_new(4096);

	while (!race.ended) {
		long long least = race.acknowledged;

		if (read_through(side, own) < least)
			atomic_fetch_add(&race.stale, 1);
		arena_reset(own);
	}
	arena_free(&own);
	return NULL;
}

static void write_always(const struct side *side, struct arena *own)
{
	for (long long version = 1; version <= 4000; version++) {
		race.database = version;
		cache_forget(side->cache, own, (const char *[]){ KEY, NULL }, 0);
		race.acknowledged = version;
		/* Now and then a moment in which readers can keep something. */
		if (version % 8 == 0)
			usleep(500);
		arena_reset(own);
	}
}

static void among_many_nobody_reads_what_was_before_an_acknowledged_change(void **state)
{
	struct redis_options wide = options;
	struct side sides[2];
	pthread_t threads[6];

	(void)state;
	wide.connections = 8;
	wide.timeout_ms = 10000;
	for (int i = 0; i < 2; i++)
		sides[i] = open_side(&wide);
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_always, &sides[i % 2]), 0);
	write_always(&sides[0], arena);
	race.ended = true;
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++)
		close_side(&sides[i]);
	assert_int_equal(race.stale, 0);
	/* Otherwise nothing has been tried. */
	assert_true(race.hits > 100);
	assert_true(race.reads - race.hits > 100);
}

/* --- without Redis --- */

static void what_was_forgotten_while_redis_slept_is_gone_when_it_wakes(void **state)
{
	(void)state;
	put(&writer, "old");
	assert_string_equal(found(&reader), "old");
	assert_int_equal(kill(redis_server.pid, SIGSTOP), 0);
	/* The writer learns that Redis does not answer; the reader does not ask meanwhile. */
	assert_string_equal(found(&writer), "nothing");
	forget(&writer);
	assert_int_equal(kill(redis_server.pid, SIGCONT), 0);
	redis_server_wait();
	assert_string_equal(found(&reader), "nothing");
}

static void a_lease_from_before_redis_slept_is_worth_nothing_after_a_change(void **state)
{
	struct cached missed = look(&reader);

	(void)state;
	assert_int_equal(kill(redis_server.pid, SIGSTOP), 0);
	forget(&writer);
	assert_int_equal(kill(redis_server.pid, SIGCONT), 0);
	redis_server_wait();
	assert_false(keep_for(&reader, &missed, "old", 300));
	assert_string_equal(found(&reader), "nothing");
}

/* The breaker refuses for a while after Redis is well again: a change goes past it. */
static void a_change_is_dropped_though_the_breaker_is_open(void **state)
{
	(void)state;
	put(&writer, "old");
	assert_int_equal(kill(redis_server.pid, SIGSTOP), 0);
	assert_int_equal(look(&writer).why, CACHE_GONE);
	assert_int_equal(kill(redis_server.pid, SIGCONT), 0);
	redis_server_wait();
	forget(&writer);
	assert_string_equal(found(&reader), "nothing");
}

static void without_a_redis_everything_is_a_miss_at_once(void **state)
{
	struct redis_options nowhere = { .address = "/nonexistent/redis.sock",
		.connections = 1,
		.timeout_ms = 50,
		.retry_ms = 3600 * 1000 };
	struct side side = open_side(&nowhere);
	int64_t began = clock_now();

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct cached missed = look(&side);

		assert_null(missed.text);
		assert_int_equal(missed.why, CACHE_GONE);
		assert_false(keep_for(&side, &missed, "x", 300));
		forget(&side);
	}
	assert_true(clock_now() - began < 5 * SECOND_US);
	close_side(&side);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sides, close_sides)

int main(void)
{
	const struct CMUnitTest cache[] = {
		TEST(what_one_keeps_the_other_finds_until_it_is_forgotten),
		TEST(bytes_of_any_kind_are_kept),
		TEST(one_reader_at_a_time_makes_a_value_anew),
		TEST(a_lease_given_back_is_the_next_ones_at_once),
		TEST(nobody_waits_for_one_who_is_slow),
		TEST(a_change_in_the_middle_of_a_renewal_keeps_the_old_value_out),
		TEST(a_value_is_renewed_by_one_while_others_are_served_it),
		TEST(values_made_together_are_due_at_different_times),
		TEST(while_a_change_is_in_doubt_nothing_is_put),
		TEST(what_is_no_value_of_ours_is_replaced),
		TEST(scripts_that_redis_has_forgotten_are_sent_again),
		TEST(among_many_nobody_reads_what_was_before_an_acknowledged_change),
		TEST(what_was_forgotten_while_redis_slept_is_gone_when_it_wakes),
		TEST(a_lease_from_before_redis_slept_is_worth_nothing_after_a_change),
		TEST(a_change_is_dropped_though_the_breaker_is_open),
		TEST(without_a_redis_everything_is_a_miss_at_once),
	};

	return cmocka_run_group_tests(cache, start_server, end_server);
}
