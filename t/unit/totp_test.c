/* totp_test.c - one-time codes: those of RFC 6238, each once; recovery codes, typed in any way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/identity/recovery_code.h"
#include "core/identity/totp.h"

/* The secret of RFC 6238, appendix B, and its codes, of which the last six digits count. */
static const struct totp_secret secret = { "12345678901234567890" };
static const struct {
	long long now;
	const char *code;
} known[] = { { 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" },
	{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" } };

static void the_codes_of_the_rfc_are_right(void **state)
{
	long long step;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		assert_int_equal(
		    totp_check(&secret, known[i].code, known[i].now, -1, &step), TOTP_RIGHT);
		assert_int_equal(step, known[i].now / TOTP_STEP);
	}
}

static void a_clock_may_be_a_step_off(void **state)
{
	static const long long right[] = { 30, 59, 60, 89, 0, 29 }, wrong[] = { 90, 120, 1000 };
	long long step;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_int_equal(totp_check(&secret, "287082", right[i], -1, &step), TOTP_RIGHT);
		assert_int_equal(step, 1);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(totp_check(&secret, "287082", wrong[i], -1, &step), TOTP_WRONG);
}

static void a_code_is_good_once(void **state)
{
	long long step;

	(void)state;
	assert_int_equal(totp_check(&secret, "287082", 59, 0, &step), TOTP_RIGHT);
	assert_int_equal(totp_check(&secret, "287082", 59, step, &step), TOTP_REPLAYED);
	assert_int_equal(totp_check(&secret, "287082", 59, 7, &step), TOTP_REPLAYED);
}

static void other_texts_are_no_codes(void **state)
{
	static const char *const texts[] = { "", "28708", "2870820", "28708a", "-87082", "287082x",
		"287083", "０８７０８２", " ", "000000" };
	long long step = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(totp_check(&secret, texts[i], 59, -1, &step), TOTP_WRONG);
	assert_int_equal(step, 42);
	assert_int_equal(totp_check(&secret, " 287 082 ", 59, -1, &step), TOTP_RIGHT);
}

static void the_uri_says_all_that_an_app_needs(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_string_equal(totp_text(arena, &secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	assert_string_equal(totp_uri(arena, &secret, "Feed & Co", "ana@x:y/\xc3\xa9"),
	    "otpauth://totp/Feed%20%26%20Co:ana%40x%3Ay%2F%C3%A9"
	    "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Feed%20%26%20Co"
	    "&algorithm=SHA1&digits=6&period=30");
	arena_free(&arena);
}

static void a_recovery_code_may_be_typed_in_any_way(void **state)
{
	static const char *const ways[] = { "abcdefghijkmnpqr", "ABCD-EFGH-IJKM-NPQR",
		" abcd efgh ijkm npqr ", "a-b-c-d-e-f-g-h-i-j-k-m-n-p-q-r" };
	static const char *const others[] = { "", "----", "abcdefghijkmnpq", "abcdefghijkmnpqrs",
		"abcdefghijklmnpq", "abcd_efgh_ijkm_npqr", "0bcdefghijkmnpqr", "\xc3\xa9" };
	unsigned char first[DIGEST_BYTES], digest[DIGEST_BYTES];

	(void)state;
	assert_true(recovery_code_digest(ways[0], first));
	for (size_t i = 1; i < COUNT(ways); i++) {
		assert_true(recovery_code_digest(ways[i], digest));
		assert_memory_equal(first, digest, sizeof(digest));
	}
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(recovery_code_digest(others[i], digest));
}

static void recovery_codes_differ_and_are_codes(void **state)
{
	struct arena *arena = arena_new(4096);
	const char *one = recovery_code_make(arena), *other = recovery_code_make(arena);
	unsigned char digest[DIGEST_BYTES];

	(void)state;
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(one), 19);
	assert_true(recovery_code_digest(one, digest) && recovery_code_digest(other, digest));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest codes[] = { cmocka_unit_test(the_codes_of_the_rfc_are_right),
		cmocka_unit_test(a_clock_may_be_a_step_off), cmocka_unit_test(a_code_is_good_once),
		cmocka_unit_test(other_texts_are_no_codes),
		cmocka_unit_test(the_uri_says_all_that_an_app_needs),
		cmocka_unit_test(a_recovery_code_may_be_typed_in_any_way),
		cmocka_unit_test(recovery_codes_differ_and_are_codes) };

	return cmocka_run_group_tests(codes, NULL, NULL);
}
