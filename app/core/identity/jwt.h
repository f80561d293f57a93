/*
 * jwt.h - access tokens as JWT (RFC 7519): signed, and checked.
 *
 * One algorithm is taken, ES256, whatever a token says of itself: a token that names
 * none, or HS256 with our public key as its secret, is refused before anything of it
 * is looked at.  A token names its key by a text that is compared, and nothing else.
 *
 * The claims are those of RFC 9068; its "typ", at+jwt, libjwt 1.10 neither writes nor
 * reads.  These keys sign nothing but access tokens, so none can be taken for another.
 */
#ifndef CORE_IDENTITY_JWT_H
#define CORE_IDENTITY_JWT_H

#include "core/identity/signing_key.h"

/* A token of ours has some 600 bytes; nothing longer is even decoded. */
#define JWT_MOST 4096

/* The clocks of two hosts may differ by so many seconds: a token may be as young as that. */
#define JWT_SKEW 5

struct claims {
	const char *issuer, *audience;
	const char *subject;  /* the id of the user it acts for */
	const char *client;   /* the id of the client it was given to */
	const char *username; /* the user's, for logs */
	const char *role, *scope;
	const char *id;      /* of the token */
	long long issued_at; /* seconds since 1970 */
	long long expires_at;
};

enum jwt_verdict {
	JWT_RIGHT,
	JWT_MALFORMED,   /* no JWT, or longer than any of ours */
	JWT_ALGORITHM,   /* not ES256 */
	JWT_CRITICAL,    /* something in its header must be understood, and is not */
	JWT_UNKNOWN_KEY, /* nobody knows its "kid" */
	JWT_SIGNATURE,
	JWT_EXPIRED,
	JWT_EARLY,    /* not yet valid */
	JWT_ISSUER,   /* another's */
	JWT_AUDIENCE, /* for another */
	JWT_CLAIMS,   /* something is missing that ours all have */
};

/* What is wrong, for whoever sent it: a sentence without its stop. */
const char *jwt_verdict_text(enum jwt_verdict);

/* The signed token, in the arena. */
const char *jwt_sign(struct arena *, const struct signing_key *, const struct claims *);

/*
 * The "kid" that TOKEN names, in the arena: the key to check it with.  Not JWT_RIGHT when
 * it could not be right with any key.
 */
enum jwt_verdict jwt_key_name(struct arena *, const char *token, const char **kid) MUST_CHECK;

/*
 * Whether TOKEN was signed by KEY: JWT_RIGHT, JWT_SIGNATURE, or what jwt_key_name says.  It
 * takes some 400 µs, so it is not asked twice of the same token (keyring.h).
 */
enum jwt_verdict jwt_signature(const char *token, const struct signing_key *) MUST_CHECK;

/*
 * Whether TOKEN, whose signature was right, is valid at NOW for the issuer and the
 * audience that CLAIMS names; then CLAIMS has the rest, in the arena.
 */
enum jwt_verdict jwt_claims(
    struct arena *, const char *token, long long now, struct claims *) MUST_CHECK;

#endif
