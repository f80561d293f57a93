/* cache_test.c - two processes and one Redis: what one forgets the other must not serve. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/cache.h"

#define KEY "tasks:user:1"

/* Each has a pool and a breaker of its own, as the web workers have. */
static struct side {
	struct redis *redis;
	struct cache *cache;
} writer, reader;

static char folder[64], address[96];
static struct redis_options options = {
	.address = address, .connections = 2, .timeout_ms = 200, .retry_ms = 3600 * 1000
};
static struct arena *arena;
static pid_t server;

static void become_server(void)
{
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", address, "--save", "",
	    "--logfile", "/dev/null", "--dir", folder, (char *)NULL);
	_exit(127);
}

/* Whether Redis answers somebody who comes only now. */
static bool answers(void)
{
	struct redis *redis = redis_open(&options);
	struct redis_command ping = { .words = { "PING" } };
	struct redis_reply reply;
	bool well = redis_run(redis, arena, 1, &ping, &reply) && reply.kind == REDIS_TEXT;

	redis_close(&redis);
	return well;
}

static void wait_for_answer(void)
{
	int64_t deadline = clock_now() + 20 * SECOND_US;

	while (!answers()) {
		assert_true(clock_now() < deadline);
		usleep(5000);
	}
}

static int start_server(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_TEXT);
	snprintf(folder, sizeof(folder), "/tmp/cache-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(address, sizeof(address), "%s/redis.sock", folder);
	arena = arena_new(4096);
	server = fork();
	if (server == 0)
		become_server();
	wait_for_answer();
	return 0;
}

static int end_server(void **state)
{
	(void)state;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	arena_free(&arena);
	(void)unlink(address);
	return rmdir(folder);
}

static int open_sides(void **state)
{
	(void)state;
	writer.redis = redis_open(&options);
	writer.cache = cache_open(writer.redis);
	reader.redis = redis_open(&options);
	reader.cache = cache_open(reader.redis);
	return 0;
}

static int close_sides(void **state)
{
	(void)state;
	cache_close(&writer.cache);
	redis_close(&writer.redis);
	cache_close(&reader.cache);
	redis_close(&reader.redis);
	arena_reset(arena);
	return 0;
}

static void put(const struct side *side, const char *text)
{
	struct buffer value;

	buffer_start(&value, arena, 64);
	buffer_add_text(&value, text);
	cache_put(side->cache, KEY, &value, 300);
}

/* What SIDE finds, or "nothing". */
static const char *found(const struct side *side)
{
	size_t length;
	const char *bytes = cache_get(side->cache, arena, KEY, &length);

	return bytes != NULL ? arena_copy(arena, bytes, length) : "nothing";
}

static void what_one_keeps_the_other_finds_until_it_is_forgotten(void **state)
{
	(void)state;
	put(&writer, "old");
	assert_string_equal(found(&reader), "old");
	cache_forget(writer.cache, arena, KEY);
	assert_string_equal(found(&reader), "nothing");
	assert_string_equal(found(&writer), "nothing");
}

static void bytes_of_any_kind_are_kept(void **state)
{
	struct buffer value;
	const char *bytes;
	size_t length;

	(void)state;
	buffer_start(&value, arena, 1);
	for (int i = 0; i < 100000; i++)
		buffer_add_char(&value, (char)(i % 256));
	cache_put(writer.cache, KEY, &value, 300);
	bytes = cache_get(reader.cache, arena, KEY, &length);
	assert_non_null(bytes);
	assert_int_equal(length, value.length);
	assert_memory_equal(bytes, value.data, length);
}

static void what_was_forgotten_while_redis_slept_is_gone_when_it_wakes(void **state)
{
	(void)state;
	put(&writer, "old");
	assert_string_equal(found(&reader), "old");
	assert_int_equal(kill(server, SIGSTOP), 0);
	/* The writer learns that Redis does not answer; the reader does not ask meanwhile. */
	assert_string_equal(found(&writer), "nothing");
	cache_forget(writer.cache, arena, KEY);
	assert_int_equal(kill(server, SIGCONT), 0);
	wait_for_answer();
	assert_string_equal(found(&reader), "nothing");
}

static void without_a_redis_everything_is_a_miss_at_once(void **state)
{
	struct redis_options nowhere = { .address = "/nonexistent/redis.sock",
		.connections = 1,
		.timeout_ms = 50,
		.retry_ms = 3600 * 1000 };
	struct side side = { .redis = redis_open(&nowhere) };
	int64_t began = clock_now();

	(void)state;
	side.cache = cache_open(side.redis);
	for (int i = 0; i < 2000; i++) {
		put(&side, "x");
		assert_string_equal(found(&side), "nothing");
		cache_forget(side.cache, arena, KEY);
	}
	assert_true(clock_now() - began < 5 * SECOND_US);
	cache_close(&side.cache);
	redis_close(&side.redis);
}

int main(void)
{
	const struct CMUnitTest cache[] = {
		cmocka_unit_test_setup_teardown(
		    what_one_keeps_the_other_finds_until_it_is_forgotten, open_sides, close_sides),
		cmocka_unit_test_setup_teardown(
		    bytes_of_any_kind_are_kept, open_sides, close_sides),
		cmocka_unit_test_setup_teardown(
		    what_was_forgotten_while_redis_slept_is_gone_when_it_wakes, open_sides,
		    close_sides),
		cmocka_unit_test_setup_teardown(
		    without_a_redis_everything_is_a_miss_at_once, open_sides, close_sides),
	};

	return cmocka_run_group_tests(cache, start_server, end_server);
}
