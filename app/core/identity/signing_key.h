/*
 * signing_key.h - a key pair that signs tokens: made, read, and told to others.
 *
 * ES256 (RFC 7518, 3.4): ECDSA on the curve P-256.  A key is called by the thumbprint
 * of its public half (RFC 7638), so that a name can never stand for two keys.
 */
#ifndef CORE_IDENTITY_SIGNING_KEY_H
#define CORE_IDENTITY_SIGNING_KEY_H

#include <stdbool.h>

#include "base/arena.h"

/* 32 bytes as base64url, NUL-terminated. */
#define KEY_TEXT 44

struct signing_key {
	char kid[KEY_TEXT];
	char x[KEY_TEXT], y[KEY_TEXT]; /* the public point, as a JWK has it (RFC 7518, 6.2.1) */
	const char *pem;               /* with the private half */
	const char *public_pem;
	long long made_at; /* seconds since 1970; the keyring's */
};

/* A new key, in the arena. */
void signing_key_make(struct arena *, struct signing_key *);

/* The key that PEM holds; false when that is no private key on P-256. */
bool signing_key_read(struct arena *, const char *pem, struct signing_key *) MUST_CHECK;

#endif
