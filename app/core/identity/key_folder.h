/*
 * key_folder.h - the folder of keys: a file for each that signs tokens, and one that seals.
 *
 * Files, so that a backup, another host and a person with ls(1) can deal with them.  Each
 * signing key is PEM under its time and its name, 20260131T120000Z-KID.pem; the key that
 * seals secrets at rest is seal.key, in hexadecimal digits.  A file that others than its
 * owner could read is not used: it is no secret any more.
 */
#ifndef CORE_IDENTITY_KEY_FOLDER_H
#define CORE_IDENTITY_KEY_FOLDER_H

#include "base/crypto.h"
#include "core/identity/signing_key.h"

/*
 * Opens the folder and holds it against everybody else who changes it until close(2):
 * two processes that start at once make one key, not two.  -1, and errno.
 */
int key_folder_lock(const char *path) MUST_CHECK;

/* The signing keys, newest first, in the arena; logs what it cannot use.  False, and errno: no
 * folder. */
bool key_folder_read(
    struct arena *, const char *path, struct signing_key **keys, size_t *count) MUST_CHECK;

/* Makes a key as of NOW, seconds since 1970, or removes one.  False, and errno. */
bool key_folder_add(struct arena *, int folder, long long now, struct signing_key *) MUST_CHECK;
bool key_folder_remove(struct arena *, int folder, const struct signing_key *) MUST_CHECK;

/* The key that seals, made when there is none.  False after logging why. */
bool key_folder_seal(
    struct arena *, int folder, unsigned char seal[static SEAL_KEY_BYTES]) MUST_CHECK;

#endif
