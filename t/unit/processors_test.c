/* processors_test.c - lists of processors, and names of capabilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/system/capability.h"
#include "supervisor/system/processors.h"

static void a_list_has_numbers_and_ranges(void **state)
{
	cpu_set_t set;

	(void)state;
	assert_true(processors_parse("0-2,5,1023", &set));
	assert_int_equal(CPU_COUNT(&set), 5);
	assert_true(CPU_ISSET(0, &set) && CPU_ISSET(2, &set) && CPU_ISSET(5, &set));
	assert_true(CPU_ISSET(1023, &set));
	assert_true(processors_parse("7", &set));
	assert_int_equal(CPU_COUNT(&set), 1);
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = { "", "a", "-1", "1-", "3-1", "1,,2", "1,", ",1", "1024",
		"0-1024", "99999999999999999999", "1 2", "+1", "1-2-3" };
	cpu_set_t set;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(processors_parse(bad[i], &set));
}

static void capabilities_are_known_by_name(void **state)
{
	char name[CAPABILITY_NAME];

	(void)state;
	assert_int_equal(capability_find("net_bind_service"), 10);
	assert_int_equal(capability_find("CAP_NET_BIND_SERVICE"), 10);
	assert_int_equal(capability_find("chown"), 0);
	assert_int_equal(capability_find("10"), -1);
	assert_int_equal(capability_find(""), -1);
	assert_int_equal(capability_find("net_bind"), -1);
	assert_string_equal(capability_name(10, name), "net_bind_service");
	assert_string_equal(capability_name(63, name), "63");
	assert_true(capability_all() & 1);
}

int main(void)
{
	const struct CMUnitTest processors[] = {
		cmocka_unit_test(a_list_has_numbers_and_ranges),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(capabilities_are_known_by_name),
	};

	return cmocka_run_group_tests(processors, NULL, NULL);
}
