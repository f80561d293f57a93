/* crypto.h - what is asked of libsodium; the only door to it. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stddef.h>

#include "base/arena.h"

/* SHA-256 (FIPS 180-4) of bytes that come in pieces. */
struct digest;

#define DIGEST_TEXT 65 /* as hexadecimal digits, NUL-terminated */

struct digest *digest_new(struct arena *);
void digest_add(struct digest *, const void *bytes, size_t length);

/* Writes the digest of all that was added; nothing can be added afterwards. */
void digest_end(struct digest *, char text[static DIGEST_TEXT]);

#endif
