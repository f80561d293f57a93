/* role_test.c - the names of roles, there and back, and that each may what the lower ones may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/core.h"
#include "core/identity/role.h"

static void each_role_has_one_name(void **state)
{
	int count = 0;

	(void)state;
	for (enum access role = SIGNED_IN; role <= ADMIN; role++) {
		assert_int_equal(role_from_name(role_name(role)), role);
		/* Shapes offer the same names, from the lowest on. */
		assert_string_equal(role_names[count++], role_name(role));
	}
	assert_null(role_names[count]);
	assert_null(role_name(ANYONE));
}

static void who_has_a_higher_role_may_more(void **state)
{
	(void)state;
	assert_true(role_from_name("admin") > role_from_name("manager"));
	assert_true(role_from_name("manager") > role_from_name("user"));
	assert_true(role_from_name("user") > role_from_name("viewer"));
	assert_true(role_from_name("viewer") > ANYONE);
}

static void another_name_is_no_role(void **state)
{
	static const char *const names[] = { "", "Admin", "ADMIN", "admin ", " admin",
		"administrator", "adm", "root", "anyone", "signed_in", "4", "-1" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(role_from_name(names[i]), ANYONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_role_has_one_name),
		cmocka_unit_test(who_has_a_higher_role_may_more),
		cmocka_unit_test(another_name_is_no_role) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
