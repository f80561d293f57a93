/* resp_test.c - commands are written as Redis reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/resp.h"

static void expect(const struct redis_command *command, const char *bytes, size_t length)
{
	struct arena *arena = arena_new(256);
	struct buffer out;

	buffer_start(&out, arena, 1);
	resp_add(&out, command);
	assert_int_equal(out.length, length);
	assert_memory_equal(out.data, bytes, length);
	arena_free(&arena);
}
#define EXPECT(bytes, ...) expect(&(struct redis_command){ __VA_ARGS__ }, bytes, sizeof(bytes) - 1)

static void each_word_has_its_length(void **state)
{
	(void)state;
	EXPECT("*1\r\n$4\r\nPING\r\n", .words = { "PING" });
	EXPECT("*2\r\n$3\r\nGET\r\n$12\r\ntasks:user:1\r\n", .words = { "GET", "tasks:user:1" });
	EXPECT("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", .words = { "GET", "" });
}

static void a_word_may_be_any_bytes(void **state)
{
	(void)state;
	EXPECT("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$7\r\n\0\r\n*1\r\n\r\n",
	    .words = { "SET", "k", "\0\r\n*1\r\n" }, .lengths = { [2] = 7 });
	EXPECT("*2\r\n$3\r\nGET\r\n$3\r\nabc\r\n", .words = { "GET", "abcdef" },
	    .lengths = { [1] = 3 });
}

static void all_words_may_be_used(void **state)
{
	struct redis_command command = { .words = { NULL } };
	struct arena *arena = arena_new(256);
	struct buffer out;

	(void)state;
	for (int i = 0; i < REDIS_WORDS_MOST; i++)
		command.words[i] = "x";
	buffer_start(&out, arena, 1);
	resp_add(&out, &command);
	assert_int_equal(out.length, 5 + REDIS_WORDS_MOST * 7);
	assert_memory_equal(out.data, "*16\r\n$1\r\nx\r\n", 12);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest resp[] = {
		cmocka_unit_test(each_word_has_its_length),
		cmocka_unit_test(a_word_may_be_any_bytes),
		cmocka_unit_test(all_words_may_be_used),
	};

	return cmocka_run_group_tests(resp, NULL, NULL);
}
