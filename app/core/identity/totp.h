/*
 * totp.h - one-time codes of an authenticator app (RFC 6238): SHA-1, six digits, 30 seconds.
 *
 * Those are the values that every app understands; most ignore others in silence.
 */
#ifndef CORE_IDENTITY_TOTP_H
#define CORE_IDENTITY_TOTP_H

#include <stdbool.h>

#include "base/arena.h"

#define TOTP_SECRET_BYTES 20 /* RFC 4226, 4: as long as the digest */
#define TOTP_DIGITS       6
#define TOTP_STEP         30 /* seconds */

/* A clock may be wrong by so many steps, each way (RFC 6238, 5.2). */
#define TOTP_WINDOW 1

struct totp_secret {
	unsigned char bytes[TOTP_SECRET_BYTES];
};

enum totp_verdict {
	TOTP_WRONG,
	TOTP_REPLAYED, /* right, and used before: a code is good for once (RFC 6238, 5.2) */
	TOTP_RIGHT,
};

/*
 * Whether CODE, spaces in it or not, is the secret's at NOW, seconds since 1970, and of
 * a step behind LAST, the last that was used; then *STEP is its own.
 */
enum totp_verdict totp_check(const struct totp_secret *, const char *code, long long now,
    long long last, long long *step) MUST_CHECK;

/* The secret as people type it where no camera is: base32, in the arena. */
const char *totp_text(struct arena *, const struct totp_secret *);

/* What the QR code says: otpauth://totp/ISSUER:ACCOUNT?secret=… */
const char *totp_uri(
    struct arena *, const struct totp_secret *, const char *issuer, const char *account);

#endif
