/* crypto_test.c - digests of known texts, whole and in pieces. */
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

int main(void)
{
	const struct CMUnitTest digests[] = { cmocka_unit_test(known_texts_have_their_digests) };

	return cmocka_run_group_tests(digests, NULL, NULL);
}
