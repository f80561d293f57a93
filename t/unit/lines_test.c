/* lines_test.c - however bytes come, the lines are the same; and none is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "supervisor/output/lines.h"

/* What was heard: lines end in '|', pieces in '>'. */
struct heard {
	char text[65536];
	size_t length, longest;
};

static void hear(void *owner, const char *text, size_t length, bool goes_on)
{
	struct heard *heard = owner;

	assert_true(heard->length + length < sizeof(heard->text));
	memcpy(heard->text + heard->length, text, length);
	heard->length += length;
	heard->text[heard->length++] = goes_on ? '>' : '|';
	heard->longest = length > heard->longest ? length : heard->longest;
}

/* Gives TEXT in portions of so many bytes. */
static void give(struct heard *heard, const char *text, size_t length, size_t portion)
{
	struct lines lines = { .hear = hear, .owner = heard };

	*heard = (struct heard){ .length = 0 };
	for (size_t i = 0; i < length; i += portion)
		lines_take(&lines, text + i, length - i < portion ? length - i : portion);
	lines_end(&lines);
}

static void lines_are_the_same_in_any_portions(void **state)
{
	static const char text[] = "one\n\ntwo\0three\nhalf";
	static struct heard heard;

	(void)state;
	for (size_t portion = 1; portion <= sizeof(text); portion++) {
		give(&heard, text, sizeof(text) - 1, portion);
		assert_int_equal(heard.length, sizeof("one||two\0three|half|") - 1);
		assert_memory_equal(heard.text, "one||two\0three|half|", heard.length);
	}
}

static void a_line_of_just_that_length_is_whole(void **state)
{
	static char text[LINES_LONGEST + 2];
	static struct heard heard;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LINES_LONGEST] = '\n';
	give(&heard, text, LINES_LONGEST + 1, 100);
	assert_int_equal(heard.length, LINES_LONGEST + 1);
	assert_int_equal(heard.text[LINES_LONGEST], '|');
	text[LINES_LONGEST] = 'x';
	text[LINES_LONGEST + 1] = '\n';
	give(&heard, text, LINES_LONGEST + 2, LINES_LONGEST + 2);
	assert_int_equal(heard.text[LINES_LONGEST], '>');
	assert_memory_equal(heard.text + LINES_LONGEST + 1, "x|", 2);
	assert_int_equal(heard.longest, LINES_LONGEST);
}

/* A prefix of 0 to 3 bytes moves the cut through every place in a character. */
static void no_character_is_cut(void **state)
{
	static const char *const letters[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\x8E" };
	static char text[3 * LINES_LONGEST];
	static struct heard heard;

	(void)state;
	for (size_t letter = 0; letter < 3; letter++)
		for (size_t prefix = 0; prefix < 4; prefix++) {
			size_t size = strlen(letters[letter]), length = prefix;

			memset(text, 'x', prefix);
			for (; length + size <= sizeof(text); length += size)
				memcpy(text + length, letters[letter], size);
			give(&heard, text, length, 777);
			assert_in_range(heard.longest, LINES_LONGEST - 4, LINES_LONGEST);
			assert_true(text_code_points(heard.text, heard.length) > 0);
		}
}

static void what_is_no_utf8_is_cut_anywhere(void **state)
{
	static char text[3 * LINES_LONGEST];
	static struct heard heard;

	(void)state;
	memset(text, 0x80, sizeof(text));
	give(&heard, text, sizeof(text), 4096);
	assert_int_equal(heard.length, sizeof(text) + 3);
	assert_int_equal(heard.longest, LINES_LONGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_in_any_portions),
		cmocka_unit_test(a_line_of_just_that_length_is_whole),
		cmocka_unit_test(no_character_is_cut),
		cmocka_unit_test(what_is_no_utf8_is_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
