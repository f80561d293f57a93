/* environment_test.c - which variables reach a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "supervisor/system/environment.h"
#include "supervisor/system/identity.h"

static const struct identity someone = { .user = "ann", .home = "/home/ann" };

static void only_a_short_list_is_passed_on(void **state)
{
	struct arena *arena = arena_new(4096);
	const struct words none = { 0 };
	char *const *made;

	(void)state;
	setenv("SECRET", "x", 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("PATH", "/bin", 1);
	setenv("TZ", "UTC", 1);
	unsetenv("LC_ALL");
	made = environment_make(arena, &someone, &none);
	assert_null(environment_value(made, "SECRET"));
	assert_null(environment_value(made, "LISTEN_FDS"));
	assert_null(environment_value(made, "LC_ALL"));
	assert_string_equal(environment_value(made, "PATH"), "/bin");
	assert_string_equal(environment_value(made, "TZ"), "UTC");
	assert_string_equal(environment_value(made, "HOME"), "/home/ann");
	assert_string_equal(environment_value(made, "USER"), "ann");
	assert_string_equal(environment_value(made, "LOGNAME"), "ann");
	arena_free(&arena);
}

static void entries_set_replace_and_pass_through(void **state)
{
	static const char *const word[] = { "A=1", "HOME=/tmp", "SECRET", "NOT_SET", "A=2",
		"B=", NULL };
	struct arena *arena = arena_new(4096);
	const struct words entries = { word, COUNT(word) - 1 };
	char *const *made;

	(void)state;
	setenv("SECRET", "x", 1);
	unsetenv("NOT_SET");
	made = environment_make(arena, &someone, &entries);
	assert_string_equal(environment_value(made, "A"), "2");
	assert_string_equal(environment_value(made, "B"), "");
	assert_string_equal(environment_value(made, "HOME"), "/tmp");
	assert_string_equal(environment_value(made, "SECRET"), "x");
	assert_null(environment_value(made, "NOT_SET"));
	arena_free(&arena);
}

static void names_are_checked(void **state)
{
	static const char *const wrong[] = { "", "=x", "1A=x", "A B=x", "A-B", "OSTLER_POOL=x",
		"NOTIFY_SOCKET=/x", "OSTLER_SLOT" };
	static const char *const right[] = { "A=", "A", "_a1=b=c", "PATH=/bin" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_non_null(environment_check(wrong[i]));
	for (size_t i = 0; i < COUNT(right); i++)
		assert_null(environment_check(right[i]));
}

static void more_entries_can_be_added(void **state)
{
	static const char *const more[] = { "SLOT=3" };
	struct arena *arena = arena_new(4096);
	const struct words none = { 0 };
	char *const *made = environment_make(arena, &someone, &none);
	char *const *extended = environment_extend(arena, made, more, 1);

	(void)state;
	assert_string_equal(environment_value(extended, "SLOT"), "3");
	assert_string_equal(environment_value(extended, "USER"), "ann");
	assert_null(environment_value(made, "SLOT"));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest environment[] = {
		cmocka_unit_test(only_a_short_list_is_passed_on),
		cmocka_unit_test(entries_set_replace_and_pass_through),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(more_entries_can_be_added),
	};

	return cmocka_run_group_tests(environment, NULL, NULL);
}
