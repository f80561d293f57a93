/* cors_test.c - what an origin looks like, and which are let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/answer/cors.h"

static void an_origin_is_a_scheme_and_a_host(void **state)
{
	static const char *const right[] = { "https://a.example", "http://localhost:3000",
		"http://127.0.0.1", "http://[::1]:8080", "https://xn--caf-dma.example" };
	static const char *const wrong[] = { "", "*", "null", "https://", "https://:80",
		"a.example", "https:a.example", "HTTPS://a.example", "https://A.example",
		"ftp://a.example", "https://a.example/", "https://a.example?x",
		"https://u@a.example", "https://a b.example", " https://a.example",
		"https://a.example\r\nX: y" };

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		if (!cors_is_origin(right[i]))
			fail_msg("%s", right[i]);
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (cors_is_origin(wrong[i]))
			fail_msg("%s", wrong[i]);
}

static void only_those_named_are_let_in(void **state)
{
	static const char *const two[] = { "https://a.example", "https://b.example" };
	static const char *const every[] = { "*" };
	const struct cors some = { .origins = two, .count = 2 },
			  all = { .origins = every, .count = 1 }, none = { 0 };

	(void)state;
	assert_true(cors_allows(&some, "https://a.example"));
	assert_true(cors_allows(&some, "https://b.example"));
	assert_false(cors_allows(&some, "https://a.example.evil.example"));
	assert_false(cors_allows(&some, "https://a.exampl"));
	assert_false(cors_allows(&some, "*"));
	assert_true(cors_allows(&all, "https://c.example"));
	assert_false(cors_allows(&none, "https://a.example"));
}

int main(void)
{
	const struct CMUnitTest cors[] = {
		cmocka_unit_test(an_origin_is_a_scheme_and_a_host),
		cmocka_unit_test(only_those_named_are_let_in),
	};

	return cmocka_run_group_tests(cors, NULL, NULL);
}
