/* network_test.c - addresses that are one somebody's are one network, and others are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "core/journey/network.h"

static void as_text(void **state)
{
	static const struct {
		const char *address, *network;
	} cases[] = { { "192.0.2.1", "192.0.2.1" }, { "::ffff:192.0.2.1", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" }, { "2001:db8::1", "2001:db8::/64" },
		{ "::1", "::/64" }, { NULL, "" }, { "", "" }, { "unix:", "" },
		{ "192.0.2.256", "" }, { "fe80::1%eth0", "" } };
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(network_text(arena, cases[i].address), cases[i].network);
	arena_free(&arena);
}

static bool is_one(const char *one, const char *other)
{
	struct network a = network_of(one), b = network_of(other);

	return a.id == b.id && a.kind == b.kind;
}

static void told_apart(void **state)
{
	(void)state;
	assert_true(is_one("192.0.2.1", "::ffff:192.0.2.1"));
	assert_true(is_one("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"));
	assert_false(is_one("192.0.2.1", "192.0.2.2"));
	assert_false(is_one("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(is_one("0.0.0.0", NULL));
	assert_false(is_one("::", "0.0.0.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_text),
		cmocka_unit_test(told_apart),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
