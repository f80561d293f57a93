/*
 * second_factor.h - what signing in takes beside a password, and how its secret rests.
 *
 * The secret of an authenticator app has to be known to check a code, so it cannot be
 * stored as a digest.  It is sealed with a key that is in no database: who reads a dump
 * has no second factor of anybody.  With it is sealed whose it is, so that nobody who can
 * write into the database can give their own secret to somebody else.
 */
#ifndef CORE_IDENTITY_SECOND_FACTOR_H
#define CORE_IDENTITY_SECOND_FACTOR_H

#include "core/core.h"
#include "core/identity/totp.h"

/* The secret of USER as text for bytea; NULL: there is no key to seal with. */
const char *second_factor_seal(struct request *, long long user, const struct totp_secret *);

/* Opens what encode(…, 'hex') says of it; false after logging why: another key, another user. */
bool second_factor_unseal(
    struct request *, long long user, const char *hex, struct totp_secret *) MUST_CHECK;

#endif
