/*
 * keyring.h - the keys of a process: which one signs, which ones are taken, which one seals.
 *
 * The newest key signs; the older ones are taken until they are removed.  Whoever asks
 * gets what is in the folder at that moment: one stat(2) tells whether anything changed,
 * so that a new key signs, and a removed one is refused, from the next request on, in all
 * processes and without a restart.
 *
 * It also remembers whose signature was right lately.  That is a fact about two texts,
 * true for ever; whether the token is valid still, and its key still in use, is asked each time.
 */
#ifndef CORE_IDENTITY_KEYRING_H
#define CORE_IDENTITY_KEYRING_H

#include "base/crypto.h"
#include "core/identity/signing_key.h"

struct keyring;

/* Makes what is missing in FOLDER; dies where that does not work. */
struct keyring *keyring_open(const char *folder);
void keyring_close(struct keyring **);

/* The key called KID, or the one that signs: a copy in the arena.  False: there is none. */
bool keyring_find(
    struct keyring *, struct arena *, const char *kid, struct signing_key *) MUST_CHECK;
bool keyring_signer(struct keyring *, struct arena *, struct signing_key *) MUST_CHECK;

/* All of them, newest first, in the arena. */
size_t keyring_all(struct keyring *, struct arena *, struct signing_key **);

/* Whether the signature of this token, by DIGEST, was right; and that it is. */
bool keyring_knows(struct keyring *, const unsigned char digest[static DIGEST_BYTES]);
void keyring_learn(struct keyring *, const unsigned char digest[static DIGEST_BYTES]);

/* SEAL_KEY_BYTES bytes. */
const unsigned char *keyring_seal(const struct keyring *);

#endif
