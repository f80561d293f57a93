/* crypto_test.c - digests of known texts, bytes as text, what is sealed, and passwords. */
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

/* What a fuzzer found: libsodium took 0xec for a letter. */
static void bytes_beyond_ascii_are_no_letters(void **state)
{
	struct arena *arena = arena_new(4096);
	unsigned char bytes[3];

	(void)state;
	for (int byte = 0x80; byte <= 0xff; byte++)
		for (size_t place = 0; place < 4; place++) {
			char text[] = "YWJj";

			text[place] = (char)byte;
			assert_false(base64url_read(text, bytes, sizeof(bytes)));
			assert_null(base64_text(arena, text));
		}
	arena_free(&arena);
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

/* The text of HTTP's Authorization: Basic. */
static void base64_is_read_as_text(void **state)
{
	static const char *const broken[] = { "YQ", "YQ=", "YR==", "YQ==\n",
		"Y Q=", "YQ==YQ==", "-_8=", "AGE=", "YQBh", "\xc3\xa9" };
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_string_equal(base64_text(arena, ""), "");
	assert_string_equal(base64_text(arena, "YQ=="), "a");
	assert_string_equal(base64_text(arena, "Zmo6w6k6eA=="), "fj:\xc3\xa9:x");
	for (size_t i = 0; i < COUNT(broken); i++)
		assert_null(base64_text(arena, broken[i]));
	arena_free(&arena);
}

/* --- passwords --- */

/* As cheap as may be: what is looked at here is not the price. */
static const struct password_cost cheap = { .memory = 8192, .passes = 1 };

static void a_hash_is_of_one_password(void **state)
{
	struct arena *arena = arena_new(4096);
	const char *hash = password_hash(arena, "correct horse", &cheap);
	const char *twin = password_hash(arena, "correct horse", &cheap);

	(void)state;
	assert_memory_equal(hash, "$argon2id$v=19$m=8,t=1,p=1$", 27);
	assert_string_not_equal(hash, twin); /* each has a salt of its own */
	assert_true(password_fits(hash, "correct horse"));
	assert_true(password_fits(twin, "correct horse"));
	assert_false(password_fits(hash, "correct horse "));
	assert_false(password_fits(hash, "Correct horse"));
	assert_false(password_fits(hash, ""));
	arena_free(&arena);
}

static void what_is_no_hash_fits_nobody(void **state)
{
	static const char *const texts[] = { "", "!", "correct horse", "$argon2id$",
		"$argon2id$v=19$m=8,t=1,p=1$$",
		"$argon2id$v=19$m=8,t=1,p=1$bm9ib2R5bm9ib2R5bm9ibw$" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_false(password_fits(texts[i], ""));
		assert_false(password_fits(texts[i], "correct horse"));
	}
}

/* It is made anew when it costs less than it should in either way, and only then. */
static void a_hash_tells_what_it_cost(void **state)
{
	static const struct password_cost cost = { .memory = 65536 * 1024LL, .passes = 2 };
	static const struct {
		const char *hash;
		bool is_cheap;
	} hashes[] = {
		{ "$argon2id$v=19$m=65536,t=2,p=1$salt$hash", false },
		{ "$argon2id$v=19$m=65535,t=2,p=1$salt$hash", true },
		{ "$argon2id$v=19$m=65536,t=1,p=1$salt$hash", true },
		{ "$argon2id$v=19$m=131072,t=1,p=1$salt$hash", true },
		{ "$argon2id$v=19$m=131072,t=3,p=1$salt$hash", false },
		/* Of another kind: whatever it cost, it is replaced. */
		{ "$argon2i$v=19$m=131072,t=3,p=1$salt$hash", true },
		{ "$2b$12$salthash", true },
		{ "", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(hashes); i++)
		assert_int_equal(password_is_cheap(hashes[i].hash, &cost), hashes[i].is_cheap);
}

/* What stands in for the hash of nobody must be one that is checked in full, or time would tell. */
static void a_decoy_is_a_hash_of_that_cost(void **state)
{
	struct arena *arena = arena_new(4096);
	const char *decoy = password_decoy(arena, &cheap);
	const char *hash = password_hash(arena, "correct horse", &cheap);

	(void)state;
	assert_int_equal(strlen(decoy), strlen(hash));
	assert_memory_equal(decoy, hash, 27);
	assert_false(password_is_cheap(decoy, &cheap));
	assert_false(password_fits(decoy, ""));
	assert_false(password_fits(decoy, "nobody"));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest crypto[] = { cmocka_unit_test(known_texts_have_their_digests),
		cmocka_unit_test(bytes_become_text_and_bytes_again),
		cmocka_unit_test(other_spellings_are_refused),
		cmocka_unit_test(bytes_beyond_ascii_are_no_letters),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(a_sealed_text_is_opened_by_its_key_alone),
		cmocka_unit_test(base64_is_read_as_text),
		cmocka_unit_test(a_hash_is_of_one_password),
		cmocka_unit_test(what_is_no_hash_fits_nobody),
		cmocka_unit_test(a_hash_tells_what_it_cost),
		cmocka_unit_test(a_decoy_is_a_hash_of_that_cost) };

	return cmocka_run_group_tests(crypto, NULL, NULL);
}
