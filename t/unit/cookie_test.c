/* cookie_test.c - one cookie out of a header, whatever browsers and others put into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/identity/cookie.h"

static const struct {
	const char *header, *value;
} headers[] = {
	{ "sid=a", "a" },
	{ "theme=dark; sid=a; lang=pt", "a" },
	/* A browser sends the one of the longest path first. */
	{ "sid=a; sid=b", "a" },
	/* RFC 6265 has "; " between two, and not all keep to it. */
	{ "theme=dark;sid=a", "a" },
	{ ";; ;\t sid=a ;", "a" },
	{ "sid=a \t", "a" },
	{ "sid=\"a\"", "a" },
	{ "sid=\"a", "\"a" },
	{ "sid=\"", "\"" },
	{ "sid=\"\"", "" },
	{ "sid=", "" },
	{ "sid=; sid=b", "" },
	{ "sid=a=b", "a=b" },
	{ "sid=a b", "a b" },
};

static void its_value_is_found(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		assert_string_equal(cookie_find(arena, headers[i].header, "sid"), headers[i].value);
	arena_free(&arena);
}

static void others_are_not_it(void **state)
{
	static const char *const others[] = { "", ";", "sid", "; sid", "SID=a", "xsid=a", "sid2=a",
		"x-sid=a", "sid =a", "theme=sid=a", "__Host-sid=a", "theme=\"; sid" };
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_null(cookie_find(arena, others[i], "sid"));
	assert_null(cookie_find(arena, NULL, "sid"));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(its_value_is_found),
		cmocka_unit_test(others_are_not_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
