/*
 * oauth.c - the token endpoint (RFC 6749, 3.2): a secret, or a refresh token, becomes an access
 * token.
 *
 * A refresh token is good once, and its answer has the next.  One that comes a second time
 * has been seen by somebody else, so all that follow from the same beginning end with it
 * (RFC 9700, 4.14).  That a client gets one together with client_credentials is what RFC
 * 6749, 4.4.3, would rather not have: it saves the client from keeping its secret where it
 * runs.  Whoever agrees with the RFC makes clients without.
 */
#include "features/tokens/tokens.h"

#include "core/identity/scope.h"
#include "features/tokens/shown.h"

struct token_answer {
	const char *access_token, *token_type, *scope, *refresh_token;
	long long expires_in;
};

/* clang-format off */
const struct shape token_request_shape = { .name = "struct token_request", .size = sizeof(struct token_request),
	.open = true, .fields = (const struct field[]){ /* RFC 6749, 3.2: what is unknown is passed over */
	{ FIELD(struct token_request, grant_type), .required = true, .example = "client_credentials",
	    .doc = "client_credentials or refresh_token." },
	{ FIELD(struct token_request, client_id), .doc = "Or with the secret in Authorization: Basic." },
	{ FIELD(struct token_request, client_secret) },
	{ FIELD(struct token_request, scope), .example = SCOPE_READ, .doc = "Less than the client may." },
	{ FIELD(struct token_request, refresh_token), .doc = "Good once: the answer has the next." },
	END } };

const struct shape token_answer_shape = SHAPE(struct token_answer,
	{ FIELD(struct token_answer, access_token), .doc = "A JWT, for Authorization: Bearer." },
	{ FIELD(struct token_answer, token_type), .example = "Bearer" },
	{ FIELD(struct token_answer, expires_in), .doc = "Seconds." },
	{ FIELD(struct token_answer, scope) },
	{ FIELD(struct token_answer, refresh_token), .nullable = true, .doc = "null: this client gets none." });
/* clang-format on */

/* --- giving --- */

static int give(
    struct request *rq, const struct shown *client, const char *scope, const char *refresh_token)
{
	const char *token = token_make(rq, &(struct token_grant){ .client = client->id,
					       .user_id = client->user_id,
					       .username = client->username,
					       .role = client->role,
					       .scope = scope });

	if (token == NULL)
		return reply_problem(rq, 503, "There is no key to sign with.");
	audit(rq, AUDIT_TOKEN_ISSUED, .subject = client->id, .actor = client->username,
	    .details = audit_detail(rq, "scope", scope));
	return reply_struct(rq, &(struct token_answer){ .access_token = token,
				    .token_type = "Bearer",
				    .expires_in = token_lifetime(rq),
				    .scope = scope,
				    .refresh_token = refresh_token });
}

/* The first of a family; NULL when the client gets none, or it cannot be stored. */
static const char *begin_family(struct request *rq, const struct shown *client, const char *scope)
{
	const char *token;

	if (!client->refresh)
		return NULL;
	token = secret_make(request_arena(rq));
	(void)query(rq,
	    "WITH family AS (INSERT INTO token_families (client_id, scope, expires_at)"
	    " VALUES ($1, $2, now() + make_interval(secs => $3)) RETURNING id)"
	    " INSERT INTO refresh_tokens (token_hash, family) SELECT $4::bytea, id FROM family",
	    client->number, scope, (double)refresh_lifetime(rq),
	    secret_digest(request_arena(rq), token));
	return token;
}

static int by_secret(struct request *rq, const struct token_request *in, const struct shown *client)
{
	const char *scope = scope_narrow(client->scope, in->scope);

	if (scope == NULL)
		return oauth_refuse(
		    rq, 400, "invalid_scope", "The client may not have such a scope.");
	return give(rq, client, scope, begin_family(rq, client, scope));
}

/* --- refreshing --- */

/*
 * One statement takes the old token and gives the new one, so that of two at once exactly
 * one gets anything.  A row: its family's scope.
 */
static const struct rows *exchange(
    struct request *rq, const struct shown *client, const char *old, const char *next)
{
	struct arena *arena = request_arena(rq);

	return query(rq,
	    "WITH old AS (UPDATE refresh_tokens t SET used_at = now() FROM token_families f"
	    " WHERE t.token_hash = $1::bytea AND t.used_at IS NULL AND f.id = t.family"
	    " AND f.client_id = $2 AND f.revoked_at IS NULL AND f.expires_at > now()"
	    " RETURNING t.family, f.scope),"
	    " next AS (INSERT INTO refresh_tokens (token_hash, family)"
	    " SELECT $3::bytea, family FROM old)"
	    " SELECT scope FROM old",
	    secret_digest(arena, old), client->number, secret_digest(arena, next));
}

/* The token was not taken.  If it was good once, somebody else has it, too: none of its family is.
 */
static int refuse_refresh(struct request *rq, const struct shown *client, const char *old)
{
	const struct rows *ended = query(rq,
	    "UPDATE token_families f SET revoked_at = now() FROM refresh_tokens t"
	    " WHERE t.token_hash = $1::bytea AND t.used_at IS NOT NULL AND f.id = t.family"
	    " AND f.client_id = $2 AND f.revoked_at IS NULL RETURNING f.id",
	    secret_digest(request_arena(rq), old), client->number);

	if (ended->fate != DONE)
		return reply_done(rq, ended);
	audit(rq, ended->count > 0 ? AUDIT_TOKEN_REUSED : AUDIT_TOKEN_REFUSED,
	    .subject = client->id, .actor = client->username);
	return oauth_refuse(rq, 400, "invalid_grant",
	    "The refresh token was used before, has expired or was never ours.");
}

/* Whether the family's scope holds what is asked for, before its token is taken for it. */
static bool may_narrow(struct request *rq, const char *token, const char *asked)
{
	const struct rows *rows;

	if (asked == NULL)
		return true;
	rows = query(rq,
	    "SELECT f.scope FROM refresh_tokens t JOIN token_families f ON f.id = t.family"
	    " WHERE t.token_hash = $1::bytea",
	    secret_digest(request_arena(rq), token));
	return rows->fate != DONE || rows->count == 0 ||
	       scope_narrow(rows_text(rows, 0, 0), asked) != NULL;
}

/* What the client may has perhaps become less since the family began. */
static const char *scope_now(const struct shown *client, const char *of_family, const char *asked)
{
	const char *scope = scope_common(client->scope, of_family);

	return scope != NULL ? scope_narrow(scope, asked) : NULL;
}

static int by_refresh_token(
    struct request *rq, const struct token_request *in, const struct shown *client)
{
	const char *next, *scope;
	const struct rows *taken;

	if (in->refresh_token == NULL)
		return oauth_refuse(rq, 400, "invalid_request", "refresh_token is missing.");
	if (!client->refresh)
		return oauth_refuse(
		    rq, 400, "unauthorized_client", "This client has no refresh tokens.");
	if (!may_narrow(rq, in->refresh_token, in->scope))
		return oauth_refuse(
		    rq, 400, "invalid_scope", "The token was never for such a scope.");
	next = secret_make(request_arena(rq));
	taken = exchange(rq, client, in->refresh_token, next);
	if (taken->fate != DONE)
		return reply_done(rq, taken);
	if (taken->count == 0)
		return refuse_refresh(rq, client, in->refresh_token);
	scope = scope_now(client, rows_text(taken, 0, 0), in->scope);
	if (scope == NULL)
		return oauth_refuse(
		    rq, 400, "invalid_scope", "The client may no longer have that scope.");
	return give(rq, client, scope, next);
}

int give_token(struct request *rq)
{
	const struct token_request *in = input(rq);
	struct shown client = { .id = NULL };
	int answered = shown_find(rq, in, &client);

	if (answered != 0)
		return answered;
	if (strcmp(in->grant_type, "client_credentials") == 0)
		return by_secret(rq, in, &client);
	if (strcmp(in->grant_type, "refresh_token") == 0)
		return by_refresh_token(rq, in, &client);
	return oauth_refuse(rq, 400, "unsupported_grant_type",
	    "grant_type is client_credentials or refresh_token.");
}

/* --- what is over --- */

/* Seconds that a family stays when it has ended: what was refused yesterday can be explained. */
#define REMEMBERED 86400

static enum job_end sweep(struct request *rq)
{
	(void)query(rq,
	    "DELETE FROM token_families WHERE expires_at < now() - make_interval(secs => $1)",
	    REMEMBERED);
	return job_done(rq);
}

const struct job_kind sweep_tokens = { JOB("tokens.sweep", "Forget refresh tokens that are over",
					   sweep),
	.idempotent = true, .max_attempts = 3, .timeout_s = 600 };
