/* etag_test.c - lists of entity tags, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/answer/etag.h"

static void a_list_is_a_star_or_tags_with_commas(void **state)
{
	static const char *const lists[] = { "*", " *\t", "\"\"", "\"7\"", "W/\"7\"", "\"7\",\"8\"",
		"\"7\" , W/\"8\"", ",, \"7\",", " \"7\" ", "\"a,b\"", "\"!#~\xC3\xA9\"" };
	static const char *const others[] = { "", " ", ",", "7", "\"7", "7\"", "w/\"7\"", "W/7",
		"W/", "W\"7\"", "\"7\"x", "\"7\" \"8\"", "\"7\"\"8\"", "*, \"7\"", "**", "\"7\", *",
		"\"a b\"", "\"a\tb\"", "\"\x01\"", "\"\x7f\"", "\"7\", 8" };

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++)
		if (!etag_list_is_valid(lists[i]))
			fail_msg("%s", lists[i]);
	for (size_t i = 0; i < COUNT(others); i++)
		if (etag_list_is_valid(others[i]))
			fail_msg("%s", others[i]);
}

static void a_tag_is_found_in_either_form(void **state)
{
	(void)state;
	assert_true(etag_is_listed("*", "\"7\""));
	assert_true(etag_is_listed("\"1\", W/\"7\"", "\"7\""));
	assert_true(etag_is_listed(",\"7\",\"8\"", "\"7\""));
	assert_false(etag_is_listed("\"77\"", "\"7\""));
	assert_false(etag_is_listed("\"1\", \"2\"", "\"7\""));
	assert_false(etag_is_listed("", "\"7\""));
}

static void a_tag_made_of_bytes_is_valid_and_theirs_alone(void **state)
{
	struct arena *arena = arena_new(0);
	const char *one = etag_of(arena, "{}", 2);

	(void)state;
	assert_true(etag_list_is_valid(one));
	assert_true(etag_is_listed(one, etag_of(arena, "{}x", 2)));
	assert_false(etag_is_listed(one, etag_of(arena, "{}x", 3)));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest etags[] = {
		cmocka_unit_test(a_list_is_a_star_or_tags_with_commas),
		cmocka_unit_test(a_tag_is_found_in_either_form),
		cmocka_unit_test(a_tag_made_of_bytes_is_valid_and_theirs_alone),
	};

	return cmocka_run_group_tests(etags, NULL, NULL);
}
