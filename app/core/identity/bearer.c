/* bearer.c - who asks with an access token (RFC 6750). */
#include "core/identity/bearer.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "core/answer/problem.h"
#include "core/identity/jwt.h"
#include "core/identity/keyring.h"
#include "core/identity/role.h"
#include "core/identity/scope.h"

#define SCHEME "Bearer"

/* What stands behind the scheme's name; NULL: it is another scheme. */
static const char *token_of(const char *sent)
{
	const char *rest = sent + strlen(SCHEME);

	if (strncasecmp(sent, SCHEME, strlen(SCHEME)) != 0 || (*rest != ' ' && *rest != '\0'))
		return NULL;
	return rest + strspn(rest, " ");
}

bool bearer_is_sent(const struct request *rq)
{
	const char *sent = rq->head.authorization;

	return sent != NULL &&
	       (token_of(sent) != NULL || head_is_twice(&rq->head, "HTTP_AUTHORIZATION"));
}

/* --- saying no --- */

/* RFC 6750, 3: none of our descriptions has a quote or a backslash in it. */
void bearer_challenge(struct request *rq, const char *error, const char *description)
{
	reply_header(rq, "WWW-Authenticate",
	    arena_print(rq->arena, "Bearer realm=\"%s\", error=\"%s\", error_description=\"%s\"",
		rq->app->tokens.issuer, error, description));
}

static int refuse(struct request *rq, int status, const char *error, const char *description)
{
	audit(rq, AUDIT_TOKEN_REFUSED, .subject = description);
	bearer_challenge(rq, error, description);
	return reply_refusal(rq, status, error, "%s.", description);
}

/* Which of two a proxy in between has looked at, nobody can know. */
int bearer_refuse_twice(struct request *rq)
{
	return refuse(rq, 400, "invalid_request", "Authorization is given twice");
}

/* --- looking at the token --- */

/* A signature that was right is right; RFC 7515 leaves no room for a second opinion. */
static enum jwt_verdict check_signature(
    struct request *rq, const char *token, const struct signing_key *key)
{
	unsigned char digest[DIGEST_BYTES];
	enum jwt_verdict verdict;

	digest_of(token, strlen(token), digest);
	if (keyring_knows(rq->app->keys, digest))
		return JWT_RIGHT;
	verdict = jwt_signature(token, key);
	if (verdict == JWT_RIGHT)
		keyring_learn(rq->app->keys, digest);
	return verdict;
}

static enum jwt_verdict check(struct request *rq, const char *token, struct claims *claims)
{
	struct signing_key key;
	const char *kid;
	enum jwt_verdict verdict = jwt_key_name(rq->arena, token, &kid);

	if (verdict != JWT_RIGHT)
		return verdict;
	if (rq->app->keys == NULL || !keyring_find(rq->app->keys, rq->arena, kid, &key))
		return JWT_UNKNOWN_KEY;
	verdict = check_signature(rq, token, &key);
	return verdict == JWT_RIGHT ? jwt_claims(rq->arena, token, time(NULL), claims) : verdict;
}

static bool take(struct request *rq, const struct claims *claims)
{
	long long user;

	if (role_from_name(claims->role) == ANYONE || !text_to_integer(claims->subject, &user) ||
	    user <= 0)
		return false;
	rq->user_id = user;
	rq->role = role_from_name(claims->role);
	rq->username = claims->username;
	rq->client = claims->client;
	return true;
}

int bearer_identify(struct request *rq)
{
	struct claims claims = { .issuer = rq->app->tokens.issuer,
		.audience = rq->app->tokens.audience };
	const char *needed = rq->method == GET ? SCOPE_READ : SCOPE_WRITE;
	const char *token = token_of(rq->head.authorization);
	enum jwt_verdict verdict;

	if (token == NULL || head_is_twice(&rq->head, "HTTP_AUTHORIZATION"))
		return bearer_refuse_twice(rq);
	verdict = check(rq, token, &claims);
	if (verdict == JWT_RIGHT && !take(rq, &claims))
		verdict = JWT_CLAIMS;
	if (verdict != JWT_RIGHT)
		return refuse(rq, 401, "invalid_token", jwt_verdict_text(verdict));
	if (!scope_has(claims.scope, needed))
		return refuse(rq, 403, "insufficient_scope",
		    arena_print(rq->arena, "This takes a token with the scope %s", needed));
	return 0;
}
