/* address_test.c - the texts of addresses, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "supervisor/system/address.h"

static void right_ones_are_read(void **state)
{
	static const struct {
		const char *text;
		sa_family_t family;
	} right[] = {
		{ "unix:/run/web.sock", AF_UNIX },
		{ "tcp:127.0.0.1:9000", AF_INET },
		{ "tcp:0.0.0.0:1", AF_INET },
		{ "tcp:[::1]:65535", AF_INET6 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		struct address address;

		assert_null(address_parse(right[i].text, &address));
		assert_int_equal(address.socket.ss_family, right[i].family);
		assert_int_equal(address.path != NULL, right[i].family == AF_UNIX);
		assert_string_equal(address.text, right[i].text);
	}
}

static void wrong_ones_are_refused(void **state)
{
	static const char *const wrong[] = { "", "unix:", "unix:run/web.sock", "unix:/run/",
		"tcp:", "tcp:127.0.0.1", "tcp:127.0.0.1:", "tcp::9000", "tcp:127.0.0.1:0",
		"tcp:127.0.0.1:65536", "tcp:127.0.0.1:80x", "tcp:127.0.0.1:-1", "tcp:::1:80",
		"tcp:[::1:80", "tcp:[]:80", "tcp:localhost:80", "tcp:999.1.1.1:80", "udp:1.1.1.1:1",
		"/run/web.sock",
		"tcp:1111111111111111111111111111111111111111111111111111111111111111111111:1" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct address address;

		if (address_parse(wrong[i], &address) == NULL)
			fail_msg("\"%s\" was taken for an address", wrong[i]);
	}
}

static void a_path_may_have_107_bytes_and_no_more(void **state)
{
	char text[128] = "unix:/";
	struct address address;

	(void)state;
	memset(text + 6, 'x', 106);
	assert_null(address_parse(text, &address));
	assert_int_equal(strlen(address.path), 107);
	text[6 + 106] = 'x';
	assert_non_null(address_parse(text, &address));
}

static void the_same_address_is_recognized(void **state)
{
	struct address a, b, c, d;

	(void)state;
	assert_null(address_parse("tcp:127.0.0.1:9000", &a));
	assert_null(address_parse("tcp:127.0.0.1:9000", &b));
	assert_null(address_parse("tcp:127.0.0.1:9001", &c));
	assert_null(address_parse("unix:/run/a", &d));
	assert_true(address_same(&a, &b));
	assert_false(address_same(&a, &c));
	assert_false(address_same(&a, &d));
}

int main(void)
{
	const struct CMUnitTest address[] = {
		cmocka_unit_test(right_ones_are_read),
		cmocka_unit_test(wrong_ones_are_refused),
		cmocka_unit_test(a_path_may_have_107_bytes_and_no_more),
		cmocka_unit_test(the_same_address_is_recognized),
	};

	return cmocka_run_group_tests(address, NULL, NULL);
}
