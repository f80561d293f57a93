/* crypto_test.c - digests of known texts, bytes as text, and what is sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/crypto.h"

/* The examples of FIPS 180-4, and of nothing at all. */
static const struct {
	const char *text, *digest;
} known[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void known_texts_have_their_digests(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct digest *whole = digest_new(arena), *pieces = digest_new(arena);
		char text[DIGEST_TEXT];

		digest_add(whole, known[i].text, strlen(known[i].text));
		digest_end(whole, text);
		assert_string_equal(text, known[i].digest);
		for (const char *c = known[i].text; *c != '\0'; c++)
			digest_add(pieces, c, 1);
		digest_end(pieces, text);
		assert_string_equal(text, known[i].digest);
	}
	arena_free(&arena);
}

static void bytes_become_text_and_bytes_again(void **state)
{
	struct arena *arena = arena_new(4096);
	unsigned char bytes[33], again[33];

	(void)state;
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		random_fill(bytes, length);
		assert_true(base64url_read(base64url_write(arena, bytes, length), again, length));
		assert_memory_equal(bytes, again, length);
		assert_true(hex_read(hex_write(arena, bytes, length), again, length));
		assert_memory_equal(bytes, again, length);
	}
	assert_string_equal(base64url_write(arena, "\xfb\xff\xfe", 3), "-__-");
	assert_string_equal(hex_write(arena, "\x01\xaf", 2), "01af");
	arena_free(&arena);
}

/* A secret has one spelling: whoever keeps a list of refused ones must not miss another. */
static void other_spellings_are_refused(void **state)
{
	static const char *const texts[] = { "", "AA", "AAA=", "AAB", "A A", "AAA", "AAAA", "+_8",
		"/_8", "AA\n", "\xc3\xa9\xc3\xa9" };
	static const char *const digits[] = { "", "0", "000", "0A0b", "0g00", "00000", " 000" };
	unsigned char bytes[2];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(base64url_read(texts[i], bytes, 2), strcmp(texts[i], "AAA") == 0);
	for (size_t i = 0; i < COUNT(digits); i++)
		assert_false(hex_read(digits[i], bytes, 2));
}

static void random_bytes_differ(void **state)
{
	unsigned char one[32] = { 0 }, other[32] = { 0 };

	(void)state;
	random_fill(one, sizeof(one));
	random_fill(other, sizeof(other));
	assert_false(bytes_are_same(one, other, sizeof(one)));
	assert_true(bytes_are_same(one, one, sizeof(one)));
	bytes_forget(one, sizeof(one));
	assert_memory_equal(one, (unsigned char[32]){ 0 }, sizeof(one));
}

static void a_sealed_text_is_opened_by_its_key_alone(void **state)
{
	unsigned char key[SEAL_KEY_BYTES], other[SEAL_KEY_BYTES];
	unsigned char sealed[5 + SEAL_GROWTH], twin[sizeof(sealed)];
	char plain[5];

	(void)state;
	random_fill(key, sizeof(key));
	random_fill(other, sizeof(other));
	seal(key, "hello", 5, sealed);
	seal(key, "hello", 5, twin);
	assert_memory_not_equal(sealed, twin, sizeof(sealed));
	assert_true(unseal(key, sealed, sizeof(sealed), plain));
	assert_memory_equal(plain, "hello", 5);
	assert_false(unseal(other, sealed, sizeof(sealed), plain));
	for (size_t i = 0; i < sizeof(sealed); i++) {
		assert_false(unseal(key, sealed, i, plain));
		sealed[i] ^= 1;
		assert_false(unseal(key, sealed, sizeof(sealed), plain));
		sealed[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest digests[] = { cmocka_unit_test(known_texts_have_their_digests),
		cmocka_unit_test(bytes_become_text_and_bytes_again),
		cmocka_unit_test(other_spellings_are_refused),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(a_sealed_text_is_opened_by_its_key_alone) };

	return cmocka_run_group_tests(digests, NULL, NULL);
}
