/* crypto.c - what is asked of libsodium; the only door to it. */
#include "base/crypto.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

struct digest {
	crypto_hash_sha256_state state;
};

struct digest *digest_new(struct arena *arena)
{
	struct digest *digest = arena_alloc(arena, sizeof(*digest));

	crypto_hash_sha256_init(&digest->state);
	return digest;
}

void digest_add(struct digest *digest, const void *bytes, size_t length)
{
	crypto_hash_sha256_update(&digest->state, bytes, length);
}

void digest_end(struct digest *digest, char text[static DIGEST_TEXT])
{
	unsigned char bytes[crypto_hash_sha256_BYTES];

	_Static_assert(DIGEST_TEXT == 2 * sizeof(bytes) + 1, "two digits for each");
	crypto_hash_sha256_final(&digest->state, bytes);
	sodium_bin2hex(text, DIGEST_TEXT, bytes, sizeof(bytes));
}

void digest_of(const void *bytes, size_t length, unsigned char digest[static DIGEST_BYTES])
{
	_Static_assert(DIGEST_BYTES == crypto_hash_sha256_BYTES, "it is SHA-256");
	crypto_hash_sha256(digest, bytes, length);
}

/* --- secrets --- */

/* sodium_init() opens the source of randomness, once, whoever comes first; failing is no option. */
void random_fill(void *into, size_t length)
{
	if (sodium_init() < 0)
		die("libsodium does not start");
	randombytes_buf(into, length);
}

bool bytes_are_same(const void *one, const void *other, size_t length)
{
	return sodium_memcmp(one, other, length) == 0;
}

void bytes_forget(void *bytes, size_t length)
{
	sodium_memzero(bytes, length);
}

/* --- bytes as text --- */

#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING

char *base64url_write(struct arena *arena, const void *bytes, size_t length)
{
	size_t room = sodium_base64_encoded_len(length, BASE64URL);

	return sodium_bin2base64(arena_alloc(arena, room), room, bytes, length, BASE64URL);
}

char *hex_write(struct arena *arena, const void *bytes, size_t length)
{
	size_t room = 2 * length + 1;

	return sodium_bin2hex(arena_alloc(arena, room), room, bytes, length);
}

bool hex_read(const char *text, void *bytes, size_t length)
{
	size_t got = 0;
	const char *end = NULL;

	return strspn(text, "0123456789abcdef") == 2 * length &&
	       sodium_hex2bin(bytes, length, text, 2 * length, NULL, &got, &end) == 0 &&
	       got == length && *end == '\0';
}

/*
 * One text for one value: libsodium itself refuses bits in the last letter that belong to no
 * byte, but takes some bytes beyond ASCII, where char is signed, for letters (1.0.18).
 */
static bool is_ascii(const char *text)
{
	while ((signed char)*text > 0)
		text++;
	return *text == '\0';
}

bool base64url_read(const char *text, void *bytes, size_t length)
{
	size_t got = 0, letters = sodium_base64_encoded_len(length, BASE64URL) - 1;
	const char *end = NULL;

	return strlen(text) == letters && is_ascii(text) &&
	       sodium_base642bin(bytes, length, text, letters, NULL, &got, &end, BASE64URL) == 0 &&
	       got == length && *end == '\0';
}

char *base64_text(struct arena *arena, const char *text)
{
	size_t length = strlen(text), got = 0;
	char *plain = arena_alloc(arena, length + 1);
	const char *end = NULL;

	if (!is_ascii(text) ||
	    sodium_base642bin((unsigned char *)plain, length, text, length, NULL, &got, &end,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    *end != '\0' || memchr(plain, '\0', got) != NULL)
		return NULL;
	plain[got] = '\0';
	return plain;
}

/* --- sealing --- */

void seal(const unsigned char key[static SEAL_KEY_BYTES], const void *plain, size_t length,
    unsigned char *sealed)
{
	_Static_assert(SEAL_KEY_BYTES == crypto_secretbox_KEYBYTES, "a key of secretbox");
	_Static_assert(
	    SEAL_GROWTH == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "what it adds");
	random_fill(sealed, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, plain, length, sealed, key);
}

bool unseal(const unsigned char key[static SEAL_KEY_BYTES], const unsigned char *sealed,
    size_t length, void *plain)
{
	return length >= SEAL_GROWTH &&
	       crypto_secretbox_open_easy(plain, sealed + crypto_secretbox_NONCEBYTES,
		   length - crypto_secretbox_NONCEBYTES, sealed, key) == 0;
}

/* --- passwords --- */

/*
 * Argon2id is made to be dear to whoever tries passwords by the million: its price is
 * memory, which a graphics card has little of per core.  The text that libsodium makes,
 * "$argon2id$v=19$m=65536,t=2,p=1$salt$hash", says its own cost, so that old hashes go on
 * being checked after the configuration asks for more.
 */
char *password_hash(struct arena *arena, const char *password, const struct password_cost *cost)
{
	char *hash = arena_alloc(arena, crypto_pwhash_STRBYTES);

	if (sodium_init() < 0)
		die("libsodium does not start");
	return crypto_pwhash_str_alg(hash, password, strlen(password),
		   (unsigned long long)cost->passes, (size_t)cost->memory,
		   crypto_pwhash_ALG_ARGON2ID13) == 0
		   ? hash
		   : NULL;
}

bool password_fits(const char *hash, const char *password)
{
	return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

/* Not crypto_pwhash_str_needs_rehash(): it would make a dear hash cheaper again, too. */
bool password_is_cheap(const char *hash, const struct password_cost *cost)
{
	long long kibibytes, passes;

	if (sscanf(hash, "$argon2id$v=19$m=%lld,t=%lld,", &kibibytes, &passes) != 2)
		return true;
	return kibibytes < cost->memory / 1024 || passes < cost->passes;
}

char *password_decoy(struct arena *arena, const struct password_cost *cost)
{
	return arena_print(arena, "$argon2id$v=19$m=%lld,t=%lld,p=1$%.22s$%.43s",
	    cost->memory / 1024, cost->passes, "bm9ib2R5bm9ib2R5bm9ibw",
	    "bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm8");
}
