/* formats_test.c - texts of a fixed form: which are taken, which are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/input/formats.h"

typedef bool valid_fn(const char *);

static void expect(valid_fn *is_valid, bool expected, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (is_valid(*texts) != expected)
			fail_msg("\"%s\" was %s", *texts, expected ? "refused" : "taken");
}

static void uuids(void **state)
{
	static const char *const right[] = { "123e4567-e89b-12d3-a456-426614174000",
		"00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF",
		NULL };
	static const char *const wrong[] = { "", "123e4567", "123e4567e89b12d3a456426614174000",
		"123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-4266141740000",
		"{23e4567-e89b-12d3-a456-426614174000}", "123e4567-e89b-12d3-a456-42661417400g",
		"123e4567-e89b-12d3-a456_426614174000", "123e4567-e89b-12d3-a456-426614174000 ",
		NULL };

	(void)state;
	expect(uuid_is_valid, true, right);
	expect(uuid_is_valid, false, wrong);
}

static void email_addresses(void **state)
{
	static const char *const right[] = { "ana@example.org", "a@b", "a.b+c@d-e.f",
		"!#$%&'*+/=?^_`{|}~-@example.org", "1@1", ".@x", NULL };
	static const char *const wrong[] = { "", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c",
		"a@-b", "a@b-", "a@b..c", "a@.b", "a@b.", "a@b\nc", "<a@b>", "a@[1.2.3.4]",
		"\"a b\"@c", "a@b,c@d", "\xC3\xA1@b", "a@\xC3\xA1", NULL };
	char text[300] = "";

	(void)state;
	expect(email_is_valid, true, right);
	expect(email_is_valid, false, wrong);
	memset(text, 'a', 63);
	strcpy(text + 63, "@b.c");
	assert_true(email_is_valid(text));
	snprintf(text, sizeof(text), "a@%063d", 1);
	assert_true(email_is_valid(text));
	snprintf(text, sizeof(text), "a@%064d", 1);
	assert_false(email_is_valid(text));
	snprintf(text, sizeof(text), "%0252d@b", 1);
	assert_true(email_is_valid(text));
	snprintf(text, sizeof(text), "%0253d@b", 1);
	assert_false(email_is_valid(text));
}

static void urls(void **state)
{
	static const char *const right[] = { "http://a", "https://example.org/",
		"https://example.org:8443/a/b?c=d&e=%20#f", "http://[::1]:80/", "http://127.0.0.1",
		"https://a?b", "https://a#b", "http://a:", NULL };
	static const char *const wrong[] = { "", "a", "example.org", "//a", "http:", "http://",
		"http:///a", "HTTP://a", "ftp://a", "javascript:alert(1)", "data:,x", "http://a b",
		"http://a/\"", "http://a/<b>", "http://a/%", "http://a/%2", "http://a/%zz",
		"http://a/\n", "http://user@a", "http://user:word@a", "http://a:x",
		"http://a:123456", "http://[]", "http://[::1", "http://[x]", "http://a\\b",
		"http://\xC3\xA1", " http://a", NULL };
	char text[2100];

	(void)state;
	expect(url_is_valid, true, right);
	expect(url_is_valid, false, wrong);
	snprintf(text, sizeof(text), "http://a/%02039d", 1);
	assert_true(url_is_valid(text));
	snprintf(text, sizeof(text), "http://a/%02040d", 1);
	assert_false(url_is_valid(text));
}

static void amounts_keep_every_cent(void **state)
{
	static const struct {
		const char *text, *written;
		long long cents;
	} amounts[] = {
		{ "0", "0.00", 0 },
		{ "-0", "0.00", 0 },
		{ "0.01", "0.01", 1 },
		{ "-0.01", "-0.01", -1 },
		{ "0.1", "0.10", 10 },
		{ "12", "12.00", 1200 },
		{ "12.5", "12.50", 1250 },
		{ "12.50", "12.50", 1250 },
		{ "-1234.56", "-1234.56", -123456 },
		{ "9999999999999.99", "9999999999999.99", 999999999999999 },
	};
	char text[MONEY_TEXT];
	long long cents;

	(void)state;
	for (size_t i = 0; i < COUNT(amounts); i++) {
		assert_true(money_read(amounts[i].text, &cents));
		assert_int_equal(cents, amounts[i].cents);
		assert_string_equal(money_print(text, cents), amounts[i].written);
	}
}

static void other_texts_are_no_amounts(void **state)
{
	static const char *const wrong[] = { "", "-", ".", "1.", ".5", "-.5", "+1", "1.234",
		"1.230", "1e2", "1E2", "1,50", "01", "00", "-01.00", " 1", "1 ", "0x10", "nan",
		"inf", "1..2", "1.2.3", "12345678901234", "--1", NULL };
	long long cents;

	(void)state;
	for (const char *const *text = wrong; *text != NULL; text++)
		if (money_read(*text, &cents))
			fail_msg("\"%s\" was taken", *text);
}

int main(void)
{
	const struct CMUnitTest formats[] = {
		cmocka_unit_test(uuids),
		cmocka_unit_test(email_addresses),
		cmocka_unit_test(urls),
		cmocka_unit_test(amounts_keep_every_cent),
		cmocka_unit_test(other_texts_are_no_amounts),
	};

	return cmocka_run_group_tests(formats, NULL, NULL);
}
