/* crypto.h - what is asked of libsodium; the only door to it. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* SHA-256 (FIPS 180-4) of bytes that come in pieces. */
struct digest;

#define DIGEST_TEXT 65 /* as hexadecimal digits, NUL-terminated */

struct digest *digest_new(struct arena *);
void digest_add(struct digest *, const void *bytes, size_t length);

/* Writes the digest of all that was added; nothing can be added afterwards. */
void digest_end(struct digest *, char text[static DIGEST_TEXT]);

/* The digest of BYTES alone, as it is: of a secret that is random enough to need no salt. */
#define DIGEST_BYTES 32
void digest_of(const void *bytes, size_t length, unsigned char digest[static DIGEST_BYTES]);

/* Fills INTO with bytes that nobody can guess. */
void random_fill(void *into, size_t length);

/* Whether both are the same, in a time that tells nothing of where they differ. */
bool bytes_are_same(const void *one, const void *other, size_t length);

/* Overwrites what must not stay in memory; no compiler leaves it out. */
void bytes_forget(void *bytes, size_t length);

/* base64url without padding (RFC 4648, 5), and hexadecimal digits, in the arena. */
char *base64url_write(struct arena *, const void *bytes, size_t length);
char *hex_write(struct arena *, const void *bytes, size_t length);

/*
 * Reads what hex_write and base64url_write write, and no other spelling of the same; true
 * when TEXT is exactly LENGTH bytes.
 */
bool hex_read(const char *text, void *bytes, size_t length) MUST_CHECK;
bool base64url_read(const char *text, void *bytes, size_t length) MUST_CHECK;

/* The text that base64 with its padding (RFC 4648, 4) stands for; NULL: it is none, or has a NUL.
 */
char *base64_text(struct arena *, const char *text) MUST_CHECK;

/*
 * A sealed text is unreadable without the key, and no change of it goes unseen
 * (libsodium's secretbox: XSalsa20 and Poly1305, under a nonce of its own each time).
 */
#define SEAL_KEY_BYTES 32
#define SEAL_GROWTH    40 /* how much longer it is than what is in it */

void seal(const unsigned char key[static SEAL_KEY_BYTES], const void *plain, size_t length,
    unsigned char *sealed);

/* False: another key, or it was changed; PLAIN has room for LENGTH - SEAL_GROWTH bytes. */
bool unseal(const unsigned char key[static SEAL_KEY_BYTES], const unsigned char *sealed,
    size_t length, void *plain) MUST_CHECK;

/* What hashing a password costs: so much memory, gone over so many times. */
struct password_cost {
	long long memory; /* bytes, from 8192 */
	long long passes; /* from 1 */
};

/*
 * The Argon2id hash of PASSWORD (RFC 9106) with its salt and cost in it, as text in the arena;
 * NULL: the memory that it takes is not to be had just now.
 */
char *password_hash(struct arena *, const char *password, const struct password_cost *) MUST_CHECK;

/* Whether HASH is of PASSWORD; takes what the cost in HASH says. */
bool password_fits(const char *hash, const char *password) MUST_CHECK;

/* Whether COST asks for more than HASH was made with. */
bool password_is_cheap(const char *hash, const struct password_cost *cost);

/* A hash of that cost that no password has: whoever is not there takes as long to refuse. */
char *password_decoy(struct arena *, const struct password_cost *);

#endif
