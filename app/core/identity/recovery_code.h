/*
 * recovery_code.h - codes on paper, for whoever has lost the authenticator: each good once.
 *
 * A code has 80 random bits, so its digest needs no salt and no work: nobody finds a
 * code by trying, and a stolen table of digests opens nothing.
 */
#ifndef CORE_IDENTITY_RECOVERY_CODE_H
#define CORE_IDENTITY_RECOVERY_CODE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/crypto.h"

#define RECOVERY_CODES 10 /* made at once */

/* A new code as people read it: four groups of four, in the arena. */
const char *recovery_code_make(struct arena *);

/* The digest of TYPED, in any case, with or without its dashes; false when it is no code. */
bool recovery_code_digest(const char *typed, unsigned char digest[static DIGEST_BYTES]) MUST_CHECK;

#endif
