/* access_token.c - a new access token: what it says, and who signs it. */
#include <time.h>

#include "base/crypto.h"
#include "core/identity/jwt.h"
#include "core/identity/keyring.h"
#include "core/journey/request.h"

/* Random bits of a token's id: no two are alike. */
#define ID_BYTES 16

const char *token_make(struct request *rq, const struct token_grant *grant)
{
	const struct token_terms *terms = &rq->app->tokens;
	unsigned char id[ID_BYTES];
	struct signing_key key;
	long long now = time(NULL);

	if (rq->app->keys == NULL || !keyring_signer(rq->app->keys, rq->arena, &key))
		return NULL;
	random_fill(id, sizeof(id));
	return jwt_sign(rq->arena, &key,
	    &(struct claims){ .issuer = terms->issuer,
		.audience = terms->audience,
		.subject = grant->user_id,
		.client = grant->client,
		.username = grant->username,
		.role = grant->role,
		.scope = grant->scope,
		.id = base64url_write(rq->arena, id, sizeof(id)),
		.issued_at = now,
		.expires_at = now + terms->lifetime });
}

long long token_lifetime(struct request *rq)
{
	return rq->app->tokens.lifetime;
}

long long refresh_lifetime(struct request *rq)
{
	return rq->app->tokens.refresh_lifetime;
}
