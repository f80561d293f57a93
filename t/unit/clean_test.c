/* clean_test.c - text from anywhere becomes valid UTF-8, and what was valid stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/text.h"

#define LOST "\xEF\xBF\xBD" /* U+FFFD */

static void each_wrong_byte_is_replaced(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\x8E", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\x8E" },
		{ "\xFF", LOST },
		{ "a\x80z", "a" LOST "z" },
		{ "\xC3", LOST },
		{ "\xE2\x82", LOST LOST },
		{ "\xC0\xAF", LOST LOST },          /* overlong */
		{ "\xED\xA0\x80", LOST LOST LOST }, /* a surrogate */
		{ "\xC3\xC3\xA9", LOST "\xC3\xA9" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t length = text_clean(out, cases[i].text, strlen(cases[i].text));

		assert_int_equal(length, strlen(cases[i].clean));
		assert_memory_equal(out, cases[i].clean, length);
	}
}

static void any_bytes_become_valid_and_stay_in_bounds(void **state)
{
	char text[64], out[sizeof(text) * TEXT_CLEAN_GROWTH];
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			random = random * 1664525 + 1013904223;
			text[i] = (char)(random >> 24);
		}
		assert_true(text_code_points(out, text_clean(out, text, sizeof(text))) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_byte_is_replaced),
		cmocka_unit_test(any_bytes_become_valid_and_stay_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
