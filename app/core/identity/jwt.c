/*
 * jwt.c - access tokens as JWT; the only door to libjwt.
 *
 * libjwt 1.10 checks a signature by the algorithm that the token names, HS256 with the
 * bytes of a public key included, and looks at no time.  So it is asked for the
 * arithmetic alone, and what the result means is decided here.
 */
#include "core/identity/jwt.h"

#include <errno.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define ALGORITHM "ES256"

const char *jwt_verdict_text(enum jwt_verdict verdict)
{
	static const char *const texts[] = { [JWT_RIGHT] = "The token is right",
		[JWT_MALFORMED] = "The token is no JWT",
		[JWT_ALGORITHM] = "The token is not signed by ES256",
		[JWT_CRITICAL] = "The token's header says that something is critical",
		[JWT_UNKNOWN_KEY] = "The token names a key that is not in use",
		[JWT_SIGNATURE] = "The token's signature is wrong",
		[JWT_EXPIRED] = "The token has expired",
		[JWT_EARLY] = "The token is not valid yet",
		[JWT_ISSUER] = "The token is from another issuer",
		[JWT_AUDIENCE] = "The token is for another audience",
		[JWT_CLAIMS] = "The token lacks a claim" };

	return texts[verdict];
}

/* --- signing --- */

static void add(jwt_t *jwt, const char *name, const char *value)
{
	if (jwt_add_grant(jwt, name, value) != 0)
		die("libjwt does not take the claim %s", name);
}

static void add_time(jwt_t *jwt, const char *name, long long value)
{
	if (jwt_add_grant_int(jwt, name, (long)value) != 0)
		die("libjwt does not take the claim %s", name);
}

static void add_all(jwt_t *jwt, const struct claims *claims)
{
	add(jwt, "iss", claims->issuer);
	add(jwt, "aud", claims->audience);
	add(jwt, "sub", claims->subject);
	add(jwt, "client_id", claims->client);
	add(jwt, "username", claims->username);
	add(jwt, "role", claims->role);
	add(jwt, "scope", claims->scope);
	add(jwt, "jti", claims->id);
	add_time(jwt, "iat", claims->issued_at);
	add_time(jwt, "nbf", claims->issued_at);
	add_time(jwt, "exp", claims->expires_at);
}

const char *jwt_sign(
    struct arena *arena, const struct signing_key *key, const struct claims *claims)
{
	jwt_t *jwt = NULL;
	char *text = NULL;
	const char *token;

	if (jwt_new(&jwt) != 0 || jwt_add_header(jwt, "kid", key->kid) != 0)
		die("libjwt makes no token");
	add_all(jwt, claims);
	if (jwt_set_alg(
		jwt, JWT_ALG_ES256, (const unsigned char *)key->pem, (int)strlen(key->pem)) != 0 ||
	    (text = jwt_encode_str(jwt)) == NULL)
		die("libjwt does not sign");
	token = arena_copy(arena, text, strlen(text));
	free(text);
	jwt_free(jwt);
	return token;
}

/* --- checking --- */

/* Three parts of base64url: libjwt passes over letters of other alphabets. */
static bool has_the_form(const char *token)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t part = 0;

	if (strnlen(token, JWT_MOST + 1) > JWT_MOST)
		return false;
	for (int dots = 0; dots < 2; dots++) {
		part = strspn(token, letters);
		if (part == 0 || token[part] != '.')
			return false;
		token += part + 1;
	}
	part = strspn(token, letters);
	return token[part] == '\0';
}

static bool is_text(const char *text, const char *expected)
{
	return text != NULL && strcmp(text, expected) == 0;
}

/* RFC 7515, 4.1.11: who does not understand what is critical refuses; we understand nothing. */
static bool has_critical_header(jwt_t *jwt)
{
	char *json = jwt_get_headers_json(jwt, "crit");
	bool has = json != NULL;

	free(json);
	return has;
}

static enum jwt_verdict judge_header(jwt_t *jwt)
{
	if (!is_text(jwt_get_header(jwt, "alg"), ALGORITHM))
		return JWT_ALGORITHM;
	if (has_critical_header(jwt))
		return JWT_CRITICAL;
	return jwt_get_header(jwt, "kid") != NULL ? JWT_RIGHT : JWT_UNKNOWN_KEY;
}

enum jwt_verdict jwt_key_name(struct arena *arena, const char *token, const char **kid)
{
	enum jwt_verdict verdict;
	jwt_t *jwt = NULL;

	/* Without a key libjwt only decodes. */
	if (!has_the_form(token) || jwt_decode(&jwt, token, NULL, 0) != 0)
		return JWT_MALFORMED;
	verdict = judge_header(jwt);
	if (verdict == JWT_RIGHT)
		*kid = arena_copy(
		    arena, jwt_get_header(jwt, "kid"), strlen(jwt_get_header(jwt, "kid")));
	jwt_free(jwt);
	return verdict;
}

static const char *text_claim(struct arena *arena, jwt_t *jwt, const char *name)
{
	const char *text = jwt_get_grant(jwt, name);

	return text != NULL ? arena_copy(arena, text, strlen(text)) : NULL;
}

/* False: there is none, or it is no whole number, which libjwt reads as 0. */
static bool time_claim(jwt_t *jwt, const char *name, long long *value)
{
	errno = 0;
	*value = jwt_get_grant_int(jwt, name);
	return errno == 0 && *value > 0;
}

static enum jwt_verdict judge_claims(
    struct arena *arena, jwt_t *jwt, long long now, struct claims *claims)
{
	long long not_before;

	if (!time_claim(jwt, "exp", &claims->expires_at) || !time_claim(jwt, "nbf", &not_before) ||
	    !time_claim(jwt, "iat", &claims->issued_at))
		return JWT_CLAIMS;
	if (claims->expires_at <= now)
		return JWT_EXPIRED;
	if (not_before > now + JWT_SKEW || claims->issued_at > now + JWT_SKEW)
		return JWT_EARLY;
	if (!is_text(jwt_get_grant(jwt, "iss"), claims->issuer))
		return JWT_ISSUER;
	if (!is_text(jwt_get_grant(jwt, "aud"), claims->audience))
		return JWT_AUDIENCE;
	claims->subject = text_claim(arena, jwt, "sub");
	claims->client = text_claim(arena, jwt, "client_id");
	claims->username = text_claim(arena, jwt, "username");
	claims->role = text_claim(arena, jwt, "role");
	claims->scope = text_claim(arena, jwt, "scope");
	claims->id = text_claim(arena, jwt, "jti");
	return claims->subject != NULL && claims->client != NULL && claims->username != NULL &&
		       claims->role != NULL && claims->scope != NULL && claims->id != NULL
		   ? JWT_RIGHT
		   : JWT_CLAIMS;
}

enum jwt_verdict jwt_signature(const char *token, const struct signing_key *key)
{
	enum jwt_verdict verdict;
	jwt_t *jwt = NULL;

	if (!has_the_form(token))
		return JWT_MALFORMED;
	if (jwt_decode(&jwt, token, (const unsigned char *)key->public_pem,
		(int)strlen(key->public_pem)) != 0)
		return JWT_SIGNATURE;
	/* Only now is it known by which algorithm the signature was right. */
	verdict = jwt_get_alg(jwt) == JWT_ALG_ES256 ? judge_header(jwt) : JWT_ALGORITHM;
	if (verdict == JWT_RIGHT && !is_text(jwt_get_header(jwt, "kid"), key->kid))
		verdict = JWT_UNKNOWN_KEY;
	jwt_free(jwt);
	return verdict;
}

enum jwt_verdict jwt_claims(
    struct arena *arena, const char *token, long long now, struct claims *claims)
{
	enum jwt_verdict verdict;
	jwt_t *jwt = NULL;

	if (!has_the_form(token) || jwt_decode(&jwt, token, NULL, 0) != 0)
		return JWT_MALFORMED;
	verdict = judge_claims(arena, jwt, now, claims);
	jwt_free(jwt);
	return verdict;
}
