/* trace_test.c - which ids of a request are kept, and which are made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/journey/trace.h"

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void a_well_formed_traceparent_is_kept(void **state)
{
	struct trace trace;

	(void)state;
	trace_start(&trace, GOOD, "abc.DEF_1-2");
	assert_string_equal(trace.parent, GOOD);
	assert_string_equal(trace.request_id, "abc.DEF_1-2");
}

static void a_malformed_one_is_replaced(void **state)
{
	static const char *const wrong[] = { "", "00", GOOD "-", GOOD "x",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
		"00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
		"00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct trace trace;

		assert_false(trace_parent_is_valid(wrong[i]));
		trace_start(&trace, wrong[i], NULL);
		assert_true(trace_parent_is_valid(trace.parent));
		assert_string_not_equal(trace.parent, wrong[i]);
	}
}

static void ids_made_here_differ_and_belong_together(void **state)
{
	struct trace one, other;

	(void)state;
	trace_start(&one, NULL, NULL);
	trace_start(&other, NULL, NULL);
	assert_true(trace_parent_is_valid(one.parent));
	assert_string_not_equal(one.parent, other.parent);
	assert_int_equal(strlen(one.request_id), 32);
	assert_memory_equal(one.request_id, one.parent + 3, 32);
	trace_start(&one, GOOD, NULL);
	assert_memory_equal(one.request_id, GOOD + 3, 32);
}

static void a_request_id_is_short_and_harmless_or_replaced(void **state)
{
	static const char longest[] =
	    "0123456789012345678901234567890123456789012345678901234567890123";
	static const char *const wrong[] = { "", "a b", "a\"b", "a\nb", "caf\xC3\xA9", "a/b",
		"01234567890123456789012345678901234567890123456789012345678901234" };
	struct trace trace;

	(void)state;
	trace_start(&trace, NULL, longest);
	assert_string_equal(trace.request_id, longest);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		trace_start(&trace, GOOD, wrong[i]);
		assert_memory_equal(trace.request_id, GOOD + 3, 32);
		assert_int_equal(strlen(trace.request_id), 32);
	}
}

int main(void)
{
	const struct CMUnitTest trace[] = {
		cmocka_unit_test(a_well_formed_traceparent_is_kept),
		cmocka_unit_test(a_malformed_one_is_replaced),
		cmocka_unit_test(ids_made_here_differ_and_belong_together),
		cmocka_unit_test(a_request_id_is_short_and_harmless_or_replaced),
	};

	return cmocka_run_group_tests(trace, NULL, NULL);
}
