/* json_text_test.c - escaping, against the plainest code that could do it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_text.h"

/* RFC 8259, section 7, byte by byte. */
static size_t reference(char *out, const unsigned char *text, size_t length)
{
	char *start = out;

	for (size_t i = 0; i < length; i++) {
		static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
		const char *found = text[i] != 0 ? strchr(special, text[i]) : NULL;

		if (found != NULL)
			out += sprintf(out, "\\%c", letters[found - special]);
		else if (text[i] < 0x20 || text[i] == 0x7F)
			out += sprintf(out, "\\u%04x", text[i]);
		else
			*out++ = (char)text[i];
	}
	return (size_t)(out - start);
}

static void check(const unsigned char *text, size_t length)
{
	char expected[64 * JSON_TEXT_GROWTH + 1], got[64 * JSON_TEXT_GROWTH + 1];
	size_t expected_length = reference(expected, text, length);

	memset(got, '#', sizeof(got));
	assert_int_equal(json_text_escape(got, (const char *)text, length), expected_length);
	assert_memory_equal(got, expected, expected_length);
	assert_int_equal(got[length * JSON_TEXT_GROWTH], '#');
}

static void every_byte_is_escaped_right_at_every_place_of_a_word(void **state)
{
	unsigned char text[24];

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t at = 0; at < 16; at++) {
			memset(text, 'a', sizeof(text));
			text[at] = (unsigned char)byte;
			check(text, 16);
			check(text, at + 1);
			check(text + at, 16 - at);
		}
}

/* A byte beside its neighbour by one is where the test of eight at once could err. */
static void neighbouring_bytes_do_not_hide_each_other(void **state)
{
	unsigned char text[8];

	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++) {
			memset(text, 0xFF, sizeof(text));
			text[3] = (unsigned char)first;
			text[4] = (unsigned char)second;
			check(text, sizeof(text));
		}
}

static void text_of_nothing_is_nothing(void **state)
{
	(void)state;
	check((const unsigned char *)"", 0);
}

static void text_of_escapes_alone_has_its_room(void **state)
{
	unsigned char text[64];

	(void)state;
	memset(text, 1, sizeof(text));
	check(text, sizeof(text));
}

int main(void)
{
	const struct CMUnitTest json_text[] = {
		cmocka_unit_test(every_byte_is_escaped_right_at_every_place_of_a_word),
		cmocka_unit_test(neighbouring_bytes_do_not_hide_each_other),
		cmocka_unit_test(text_of_nothing_is_nothing),
		cmocka_unit_test(text_of_escapes_alone_has_its_room),
	};

	return cmocka_run_group_tests(json_text, NULL, NULL);
}
