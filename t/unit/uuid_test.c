/* uuid_test.c - new names: their form, their order, and that none comes twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/uuid.h"

#define MANY 10000

static void its_form_is_that_of_version_7(void **state)
{
	static const char form[] = "xxxxxxxx-xxxx-7xxx-vxxx-xxxxxxxxxxxx";
	char text[UUID_TEXT];

	(void)state;
	for (int round = 0; round < 100; round++) {
		uuid_make(text);
		assert_int_equal(strlen(text), sizeof(form) - 1);
		for (size_t i = 0; form[i] != '\0'; i++) {
			const char *may_be = form[i] == 'x'   ? "0123456789abcdef"
					     : form[i] == 'v' ? "89ab"
					     : form[i] == '7' ? "7"
							      : "-";

			assert_non_null(strchr(may_be, text[i]));
		}
	}
}

static void it_begins_with_the_time(void **state)
{
	char text[UUID_TEXT], head[13];
	int64_t before = clock_wall() / 1000, ms;

	(void)state;
	uuid_make(text);
	memcpy(head, text, 8);
	memcpy(head + 8, text + 9, 4);
	head[12] = '\0';
	ms = strtoll(head, NULL, 16);
	assert_true(ms >= before && ms <= clock_wall() / 1000);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void none_comes_twice_and_later_ones_are_greater(void **state)
{
	char(*texts)[UUID_TEXT] = malloc(MANY * sizeof(*texts));
	char first[UUID_TEXT], last[UUID_TEXT];
	struct timespec moment = { .tv_nsec = 1000 };

	(void)state;
	assert_non_null(texts);
	uuid_make(first);
	nanosleep(&moment, NULL); /* more than the quarter of a microsecond that it can tell */
	for (size_t i = 0; i < MANY; i++)
		uuid_make(texts[i]);
	nanosleep(&moment, NULL);
	uuid_make(last);
	qsort(texts, MANY, sizeof(*texts), compare);
	for (size_t i = 1; i < MANY; i++)
		assert_true(strcmp(texts[i - 1], texts[i]) < 0);
	assert_true(strcmp(first, texts[0]) < 0);
	assert_true(strcmp(texts[MANY - 1], last) < 0);
	free(texts);
}

int main(void)
{
	const struct CMUnitTest uuid[] = {
		cmocka_unit_test(its_form_is_that_of_version_7),
		cmocka_unit_test(it_begins_with_the_time),
		cmocka_unit_test(none_comes_twice_and_later_ones_are_greater),
	};

	return cmocka_run_group_tests(uuid, NULL, NULL);
}
