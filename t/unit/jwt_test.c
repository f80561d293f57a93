/* jwt_test.c - access tokens: what is signed is taken, and every other way to make one is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jwt.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/crypto.h"
#include "core/identity/jwt.h"

#define NOW 1700000000LL

static struct arena *arena;
static struct signing_key ours, other;

static const struct claims usual = { .issuer = "ostler",
	.audience = "ostler-api",
	.subject = "42",
	.client = "7",
	.username = "ana",
	.role = "user",
	.scope = "read write",
	.id = "abc",
	.issued_at = NOW,
	.expires_at = NOW + 900 };

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(64 << 10);
	signing_key_make(arena, &ours);
	signing_key_make(arena, &other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* As a request does it: find the key by its name, then check. */
static enum jwt_verdict judge_at(const char *token, long long now, struct claims *claims)
{
	const char *kid = NULL;
	enum jwt_verdict verdict = jwt_key_name(arena, token, &kid);

	*claims = (struct claims){ .issuer = "ostler", .audience = "ostler-api" };
	if (verdict != JWT_RIGHT)
		return verdict;
	if (strcmp(kid, ours.kid) != 0)
		return JWT_UNKNOWN_KEY;
	verdict = jwt_signature(token, &ours);
	return verdict == JWT_RIGHT ? jwt_claims(arena, token, now, claims) : verdict;
}

static enum jwt_verdict judge(const char *token)
{
	struct claims claims;

	return judge_at(token, NOW, &claims);
}

/* A token of any header and any claims, signed by our own key or not at all. */
static const char *forge(const char *header, const char *claims, const char *signature)
{
	return arena_print(arena, "%s.%s.%s", base64url_write(arena, header, strlen(header)),
	    base64url_write(arena, claims, strlen(claims)), signature);
}

static void what_was_signed_is_taken(void **state)
{
	const char *token = jwt_sign(arena, &ours, &usual);
	struct claims claims;

	(void)state;
	assert_int_equal(judge_at(token, NOW, &claims), JWT_RIGHT);
	assert_string_equal(claims.subject, "42");
	assert_string_equal(claims.client, "7");
	assert_string_equal(claims.username, "ana");
	assert_string_equal(claims.role, "user");
	assert_string_equal(claims.scope, "read write");
	assert_string_equal(claims.id, "abc");
	assert_int_equal(claims.expires_at, NOW + 900);
}

static void it_has_its_time(void **state)
{
	const char *token = jwt_sign(arena, &ours, &usual);
	struct claims claims;

	(void)state;
	assert_int_equal(judge_at(token, NOW + 899, &claims), JWT_RIGHT);
	assert_int_equal(judge_at(token, NOW + 900, &claims), JWT_EXPIRED);
	assert_int_equal(judge_at(token, NOW - JWT_SKEW, &claims), JWT_RIGHT);
	assert_int_equal(judge_at(token, NOW - JWT_SKEW - 1, &claims), JWT_EARLY);
}

static void another_issuer_and_audience_are_refused(void **state)
{
	struct claims claims = usual;

	(void)state;
	claims.issuer = "ostler.example";
	assert_int_equal(judge(jwt_sign(arena, &ours, &claims)), JWT_ISSUER);
	claims = usual;
	claims.audience = "";
	assert_int_equal(judge(jwt_sign(arena, &ours, &claims)), JWT_AUDIENCE);
}

static void another_key_is_refused(void **state)
{
	struct signing_key liar = other;

	(void)state;
	assert_int_equal(judge(jwt_sign(arena, &other, &usual)), JWT_UNKNOWN_KEY);
	strcpy(liar.kid, ours.kid);
	assert_int_equal(judge(jwt_sign(arena, &liar, &usual)), JWT_SIGNATURE);
}

/* What libjwt 1.10 takes for a right signature: our public key as the secret of an HMAC. */
static void no_other_algorithm_is_taken(void **state)
{
	static const jwt_alg_t algorithms[] = { JWT_ALG_NONE, JWT_ALG_HS256, JWT_ALG_HS384,
		JWT_ALG_HS512 };

	(void)state;
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		const char *key = algorithms[i] == JWT_ALG_NONE ? NULL : ours.public_pem;
		jwt_t *jwt = NULL;
		char *text;

		assert_int_equal(jwt_new(&jwt), 0);
		jwt_add_header(jwt, "kid", ours.kid);
		jwt_add_grant(jwt, "sub", "1");
		assert_int_equal(jwt_set_alg(jwt, algorithms[i], (const unsigned char *)key,
				     key != NULL ? (int)strlen(key) : 0),
		    0);
		text = jwt_encode_str(jwt);
		assert_int_equal(judge(text), JWT_ALGORITHM);
		/* Not by the name alone: whoever skips the first step is told as well. */
		assert_int_not_equal(jwt_signature(text, &ours), JWT_RIGHT);
		free(text);
		jwt_free(jwt);
	}
}

static void headers_that_are_not_ours_are_refused(void **state)
{
	static const struct {
		const char *header;
		enum jwt_verdict verdict;
	} headers[] = { { "{\"alg\":\"none\"}", JWT_ALGORITHM },
		{ "{\"alg\":\"NONE\"}", JWT_ALGORITHM }, { "{}", JWT_MALFORMED },
		{ "{\"alg\":7}", JWT_MALFORMED }, { "[]", JWT_MALFORMED }, { "x", JWT_MALFORMED },
		{ "{\"alg\":\"ES384\",\"typ\":\"JWT\"}", JWT_ALGORITHM },
		{ "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"crit\":[\"exp\"],\"kid\":\"k\"}",
		    JWT_CRITICAL },
		{ "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", JWT_UNKNOWN_KEY },
		{ "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":7}", JWT_UNKNOWN_KEY },
		{ "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"../../etc/passwd\"}",
		    JWT_UNKNOWN_KEY } };

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		assert_int_equal(
		    judge(forge(headers[i].header, "{\"sub\":\"1\"}", "AAAA")), headers[i].verdict);
}

static void a_token_that_was_changed_anywhere_is_refused(void **state)
{
	const char *token = jwt_sign(arena, &ours, &usual);
	size_t length = strlen(token);

	(void)state;
	for (size_t i = 0; i < length; i++) {
		char *changed = arena_copy(arena, token, length);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		/* The last letter has bits that belong to no byte. */
		if (i + 1 < length)
			assert_int_not_equal(judge(changed), JWT_RIGHT);
		assert_int_not_equal(judge(arena_copy(arena, token, i)), JWT_RIGHT);
	}
	assert_int_equal(judge(arena_print(arena, "%s.", token)), JWT_MALFORMED);
	assert_int_equal(judge(arena_print(arena, "%sAA", token)), JWT_SIGNATURE);
	assert_int_equal(judge(arena_print(arena, "%s==", token)), JWT_MALFORMED);
	assert_int_equal(judge(arena_print(arena, "%s\n", token)), JWT_MALFORMED);
}

/* Signed by us, with one claim after the other left out, or of another type. */
static const char *sign_without(const char *missing, const char *instead)
{
	jwt_t *jwt = NULL;
	char *text;
	const char *token;
	struct claims claims;

	/* Our own token once more, as libjwt reads it. */
	token = jwt_sign(arena, &ours, &usual);
	assert_int_equal(judge_at(token, NOW, &claims), JWT_RIGHT);
	assert_int_equal(jwt_decode(&jwt, token, (const unsigned char *)ours.public_pem,
			     (int)strlen(ours.public_pem)),
	    0);
	assert_int_equal(jwt_del_grants(jwt, missing), 0);
	if (instead != NULL)
		assert_int_equal(jwt_add_grants_json(jwt, instead), 0);
	assert_int_equal(
	    jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)ours.pem, (int)strlen(ours.pem)),
	    0);
	text = jwt_encode_str(jwt);
	token = arena_copy(arena, text, strlen(text));
	free(text);
	jwt_free(jwt);
	return token;
}

static void a_claim_that_is_missing_is_seen(void **state)
{
	static const struct {
		const char *missing, *instead;
		enum jwt_verdict verdict;
	} cases[] = { { "exp", NULL, JWT_CLAIMS }, { "nbf", NULL, JWT_CLAIMS },
		{ "iat", NULL, JWT_CLAIMS }, { "sub", NULL, JWT_CLAIMS },
		{ "client_id", NULL, JWT_CLAIMS }, { "username", NULL, JWT_CLAIMS },
		{ "role", NULL, JWT_CLAIMS }, { "scope", NULL, JWT_CLAIMS },
		{ "jti", NULL, JWT_CLAIMS }, { "iss", NULL, JWT_ISSUER },
		{ "aud", NULL, JWT_AUDIENCE }, { "sub", "{\"sub\":42}", JWT_CLAIMS },
		{ "aud", "{\"aud\":[\"ostler-api\"]}", JWT_AUDIENCE },
		{ "exp", "{\"exp\":\"1900000000\"}", JWT_CLAIMS },
		{ "exp", "{\"exp\":1900000000.5}", JWT_CLAIMS },
		{ "exp", "{\"exp\":null}", JWT_CLAIMS }, { "exp", "{\"exp\":-1}", JWT_CLAIMS },
		{ "exp", "{\"exp\":1}", JWT_EXPIRED },
		{ "nbf", "{\"nbf\":1900000000}", JWT_EARLY } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    judge(sign_without(cases[i].missing, cases[i].instead)), cases[i].verdict);
}

static void a_token_has_a_largest_size(void **state)
{
	char *large = arena_alloc(arena, (1 << 20) + 1);

	(void)state;
	memset(large, 'A', 1 << 20);
	large[10] = large[20] = '.';
	assert_int_equal(judge(large), JWT_MALFORMED);
	assert_int_equal(judge(""), JWT_MALFORMED);
	assert_int_equal(judge(".."), JWT_MALFORMED);
}

/* Made by `openssl ecparam -genkey`; the thumbprint was computed by another program (RFC 7638, 3).
 */
static void a_key_is_named_by_its_thumbprint(void **state)
{
	static const char pem[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZexXmc55moa1In5k\n"
	    "ljewYHIULx6PlXwdDdCRTLZ2o2ShRANCAAStRwYL7RkUT7h7gV2byt37MUybFb0y\n"
	    "Ua2eJE4+mXK9BKjwSp58gd1AVe/cTeWB1T962Hlk+M9uBOmTekqwQ4JM\n"
	    "-----END PRIVATE KEY-----\n";
	struct signing_key key, again;

	(void)state;
	assert_true(signing_key_read(arena, pem, &key));
	assert_string_equal(key.x, "rUcGC-0ZFE-4e4Fdm8rd-zFMmxW9MlGtniROPplyvQQ");
	assert_string_equal(key.y, "qPBKnnyB3UBV79xN5YHVP3rYeWT4z24E6ZN6SrBDgkw");
	assert_string_equal(key.kid, "3nNAVd10Isd2cDBh5ifE2Uo7E2eZ95skAoCg4ubAzAo");
	assert_true(signing_key_read(arena, ours.pem, &again));
	assert_string_equal(again.kid, ours.kid);
	assert_string_equal(again.public_pem, ours.public_pem);
}

static void other_keys_are_not_read(void **state)
{
	static const char *const texts[] = { "", "x", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE "
		"KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		"-----END PRIVATE KEY-----\n" }; /* Ed25519, RFC 8410, 10.3 */
	struct signing_key key;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(signing_key_read(arena, texts[i], &key));
	assert_false(signing_key_read(arena, ours.public_pem, &key));
}

int main(void)
{
	const struct CMUnitTest tokens[] = { cmocka_unit_test(what_was_signed_is_taken),
		cmocka_unit_test(it_has_its_time),
		cmocka_unit_test(another_issuer_and_audience_are_refused),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(no_other_algorithm_is_taken),
		cmocka_unit_test(headers_that_are_not_ours_are_refused),
		cmocka_unit_test(a_token_that_was_changed_anywhere_is_refused),
		cmocka_unit_test(a_claim_that_is_missing_is_seen),
		cmocka_unit_test(a_token_has_a_largest_size),
		cmocka_unit_test(a_key_is_named_by_its_thumbprint),
		cmocka_unit_test(other_keys_are_not_read) };

	return cmocka_run_group_tests(tokens, set_up, tear_down);
}
