/* crypto.c - what is asked of libsodium; the only door to it. */
#include "base/crypto.h"

#include <sodium.h>

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
