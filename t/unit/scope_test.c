/* scope_test.c - what a token is for, and that it can only become less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/identity/scope.h"

static void a_word_is_whole(void **state)
{
	(void)state;
	assert_true(scope_has("read write", "read") && scope_has("read write", "write"));
	assert_true(scope_has("  write  read", "read"));
	assert_false(scope_has("readwrite", "read") || scope_has("read", "write"));
	assert_false(
	    scope_has("", "read") || scope_has("reader", "read") || scope_has("rea", "read"));
}

static void only_what_is_held_can_be_asked_for(void **state)
{
	static const struct {
		const char *held, *asked, *given;
	} cases[] = { { "read write", NULL, "read write" }, { "read", "", "read" },
		{ "read write", "read", "read" }, { "read write", "write", "write" },
		{ "read write", "write read", "read write" }, { "read", "read read", "read" },
		{ "read", "write", NULL }, { "read", "read write", NULL },
		{ "write", "read", NULL }, { "read write", "admin", NULL },
		{ "read write", "read admin", NULL }, { "read write", "READ", NULL },
		{ "read write", " ", NULL }, { "read write", "read\twrite", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *given = scope_narrow(cases[i].held, cases[i].asked);

		if (cases[i].given == NULL)
			assert_null(given);
		else
			assert_string_equal(given, cases[i].given);
	}
}

static void two_scopes_have_something_in_common_or_nothing(void **state)
{
	(void)state;
	assert_string_equal(scope_common("read write", "read"), "read");
	assert_string_equal(scope_common("write", "read write"), "write");
	assert_string_equal(scope_common("write read", "read write"), "read write");
	assert_null(scope_common("write", "read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_word_is_whole),
		cmocka_unit_test(only_what_is_held_can_be_asked_for),
		cmocka_unit_test(two_scopes_have_something_in_common_or_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
