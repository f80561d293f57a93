/* text_test.c - UTF-8, numbers with and without units, and near misses of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/text.h"

/* A literal with its length, NUL bytes and all. */
#define BYTES(literal) literal, sizeof(literal) - 1

struct bytes {
	const char *text;
	size_t length;
	long points;
};

static void valid_utf8_is_counted_in_code_points(void **state)
{
	static const struct bytes valid[] = {
		{ BYTES(""), 0 },
		{ BYTES("a"), 1 },
		{ BYTES("a\0b"), 3 },
		{ BYTES("\x7F"), 1 },
		{ BYTES("\xC2\x80"), 1 },
		{ BYTES("\xDF\xBF"), 1 },
		{ BYTES("\xE0\xA0\x80"), 1 },
		{ BYTES("\xED\x9F\xBF"), 1 },
		{ BYTES("\xEE\x80\x80"), 1 },
		{ BYTES("\xEF\xBF\xBF"), 1 },
		{ BYTES("\xF0\x90\x80\x80"), 1 },
		{ BYTES("\xF4\x8F\xBF\xBF"), 1 },
		{ BYTES("caf\xC3\xA9 \xF0\x9F\x90\xB4"), 6 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		assert_int_equal(text_code_points(valid[i].text, valid[i].length), valid[i].points);
}

static void invalid_utf8_is_found_wherever_it_stands(void **state)
{
	static const struct bytes invalid[] = {
		{ BYTES("\x80"), -1 }, /* a continuation alone */
		{ BYTES("\xBF"), -1 },
		{ BYTES("\xC0\x80"), -1 },     /* overlong NUL */
		{ BYTES("\xC1\xBF"), -1 },     /* overlong DEL */
		{ BYTES("\xE0\x80\x80"), -1 }, /* overlong in three bytes */
		{ BYTES("\xE0\x9F\xBF"), -1 },
		{ BYTES("\xF0\x80\x80\x80"), -1 }, /* overlong in four */
		{ BYTES("\xF0\x8F\xBF\xBF"), -1 },
		{ BYTES("\xED\xA0\x80"), -1 }, /* surrogates */
		{ BYTES("\xED\xBF\xBF"), -1 },
		{ BYTES("\xF4\x90\x80\x80"), -1 }, /* U+110000 */
		{ BYTES("\xF5\x80\x80\x80"), -1 },
		{ BYTES("\xFF"), -1 },
		{ BYTES("\xC3"), -1 }, /* cut short */
		{ BYTES("\xE2\x82"), -1 },
		{ BYTES("\xF0\x9F\x90"), -1 },
		{ BYTES("\xC3("), -1 }, /* no continuation behind the lead */
		{ BYTES("\xE2(\xA1"), -1 },
		{ BYTES("\xE2\x82("), -1 },
		{ BYTES("\xF0\x9F\x90("), -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(invalid); i++) {
		char middle[16] = "ab";

		assert_int_equal(text_code_points(invalid[i].text, invalid[i].length), -1);
		memcpy(middle + 2, invalid[i].text, invalid[i].length);
		memcpy(middle + 2 + invalid[i].length, "cd", 2);
		assert_int_equal(text_code_points(middle, invalid[i].length + 4), -1);
	}
}

static void utf8_is_not_read_beyond_its_length(void **state)
{
	(void)state;
	assert_int_equal(text_code_points("\xC3\xA9", 1), -1);
	assert_int_equal(text_code_points("a\xFF", 1), 1);
}

static void whole_numbers_are_read_up_to_the_limits(void **state)
{
	static const struct {
		const char *text;
		long long value;
	} right[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "7", 7 },
		{ "007", 7 },
		{ "-12", -12 },
		{ "9223372036854775807", LLONG_MAX },
		{ "-9223372036854775808", LLONG_MIN },
	};
	long long value;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_true(text_to_integer(right[i].text, &value));
		assert_int_equal(value, right[i].value);
	}
}

static void what_is_no_whole_number_is_refused(void **state)
{
	static const char *const wrong[] = { "", "-", "+1", " 1", "1 ", "\n1", "0x10", "1e3", "1.0",
		"--1", "-+1", "1_000", "abc", "12345678901234567890", "9223372036854775808",
		"-9223372036854775809", "\xD9\xA1" };
	long long value;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (text_to_integer(wrong[i], &value))
			fail_msg("\"%s\" was taken for a whole number", wrong[i]);
}

static void durations_need_a_unit(void **state)
{
	static const struct {
		const char *text;
		long long ms;
	} right[] = {
		{ "0ms", 0 },
		{ "250ms", 250 },
		{ "10s", 10000 },
		{ "5m", 300000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "9223372036854775807ms", LLONG_MAX },
	};
	static const char *const wrong[] = { "", "10", "s", "-1s", "+1s", " 1s", "1 s", "1s ", "1S",
		"1sec", "1.5s", "0x1s", "9223372036854775807s", "9223372036854775808ms",
		"106751991168d" };
	long long value;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_true(text_to_duration(right[i].text, &value));
		assert_int_equal(value, right[i].ms);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (text_to_duration(wrong[i], &value))
			fail_msg("\"%s\" was taken for a duration", wrong[i]);
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		long long bytes;
	} right[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "64K", 65536 },
		{ "1M", 1048576 },
		{ "2G", 2147483648 },
	};
	static const char *const wrong[] = { "", "K", "-1", "1k", "1KB", "1 K", "1T", "1.5M",
		"0x10", "9007199254740992K", "9223372036854775808" };
	long long value;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_true(text_to_size(right[i].text, &value));
		assert_int_equal(value, right[i].bytes);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (text_to_size(wrong[i], &value))
			fail_msg("\"%s\" was taken for a size", wrong[i]);
}

static const char *const words[] = { "threads", "database", "database_timeout", "cache", NULL };

static void a_slip_finds_the_word_that_was_meant(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	assert_string_equal(text_closest("thread", words), "threads");
	assert_string_equal(text_closest("THREADS", words), "threads");
	assert_string_equal(text_closest("databse_timout", words), "database_timeout");
	assert_string_equal(text_closest("cahce", words), "cache");
	assert_string_equal(text_closest("cache", words), "cache");
	assert_null(text_closest("colour", words));
	assert_null(text_closest("cache", none));
}

static void a_word_of_any_length_can_be_compared(void **state)
{
	char word[300];
	const char *const list[] = { word, NULL };

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(text_closest(word, words));
	assert_null(text_closest("x", list));
}

static void a_word_is_found_by_its_place(void **state)
{
	(void)state;
	assert_int_equal(text_index("threads", words), 0);
	assert_int_equal(text_index("cache", words), 3);
	assert_int_equal(text_index("Cache", words), -1);
	assert_int_equal(text_index("", words), -1);
}

static void a_beginning_is_recognized(void **state)
{
	(void)state;
	assert_true(text_starts("SELECT 1", "SELECT"));
	assert_true(text_starts("x", ""));
	assert_false(text_starts("SEL", "SELECT"));
	assert_false(text_starts("", "x"));
}

int main(void)
{
	const struct CMUnitTest text[] = {
		cmocka_unit_test(valid_utf8_is_counted_in_code_points),
		cmocka_unit_test(invalid_utf8_is_found_wherever_it_stands),
		cmocka_unit_test(utf8_is_not_read_beyond_its_length),
		cmocka_unit_test(whole_numbers_are_read_up_to_the_limits),
		cmocka_unit_test(what_is_no_whole_number_is_refused),
		cmocka_unit_test(durations_need_a_unit),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(a_slip_finds_the_word_that_was_meant),
		cmocka_unit_test(a_word_of_any_length_can_be_compared),
		cmocka_unit_test(a_word_is_found_by_its_place),
		cmocka_unit_test(a_beginning_is_recognized),
	};

	return cmocka_run_group_tests(text, NULL, NULL);
}
