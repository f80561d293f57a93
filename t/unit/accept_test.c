/* accept_test.c - who asks for CSV gets it, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/input/accept.h"

static void the_greater_wish_is_granted(void **state)
{
	static const struct {
		const char *accept;
		bool csv;
	} cases[] = { { NULL, false }, { "", false }, { "*/*", false }, { "text/csv", true },
		{ "TEXT/CSV", true }, { "text/*", true }, { "application/json", false },
		{ "text/csv, application/json", false },
		{ "text/csv, application/json;q=0.9", true },
		{ "text/csv;q=0.8, application/json;q=0.85", false }, { "text/csv;q=0", false },
		{ "text/csv;q=0, */*", false }, { "application/json;q=0, */*", true },
		{ "text/csv;header=present;q=0.5,*/*;q=0.1", true },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", false }, { "text/csvx", false },
		{ " text/csv ; q=1 , */* ; q=0.5", true }, { ",,;;q=", false },
		{ "text/csv;q", true }, { "*/*;q=0.1,text/csv;q=0.100", false },
		{ "text/csv;q=9999999999999999", true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (accept_prefers(cases[i].accept, "text/csv", "application/json") != cases[i].csv)
			fail_msg("%s", cases[i].accept != NULL ? cases[i].accept : "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_greater_wish_is_granted),
	};

	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
