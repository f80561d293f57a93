/*
 * tokens.c - access for programs (OAuth 2.0, RFC 6749): who may have tokens, how they get them,
 * and how tokens are checked.
 */
#include "features/tokens/tokens.h"

#include "base/crypto.h"

#define SECRET_BYTES 32

const char *secret_make(struct arena *arena)
{
	unsigned char bytes[SECRET_BYTES];
	const char *secret;

	random_fill(bytes, sizeof(bytes));
	secret = base64url_write(arena, bytes, sizeof(bytes));
	bytes_forget(bytes, sizeof(bytes));
	return secret;
}

const char *secret_digest(struct arena *arena, const char *secret)
{
	unsigned char digest[DIGEST_BYTES];

	digest_of(secret, strlen(secret), digest);
	return arena_print(arena, "\\x%s", hex_write(arena, digest, sizeof(digest)));
}

#define ONE_CLIENT "/api/clients/{id}"

/* clang-format off */
const struct feature tokens_feature = { .name = "tokens", .doc = "Access for programs: OAuth 2.0.", .routes = ROUTES(
	{ ROUTE(POST, "/oauth/token", "Get an access token", ANYONE, give_token),
	    .takes = &token_request_shape, .form = true, .gives = &token_answer_shape, .oauth = true,
	    .secret = true, .guarded = true },
	{ ROUTE(GET, "/.well-known/jwks.json", "The public keys of access tokens", ANYONE, list_keys),
	    .media = "application/json" },
	{ ROUTE(GET, "/api/clients", "List the programs that may have tokens, newest first", ADMIN, list_clients),
	    .takes = &client_page_shape, .gives = &client_shape, .list = true },
	{ ROUTE(POST, "/api/clients", "Let a program have tokens; its secret is told once", ADMIN, create_client),
	    .takes = &new_client_shape, .gives = &created_client_shape, .status = 201, .secret = true, .transaction = true },
	{ ROUTE(GET, ONE_CLIENT, "Read a program", ADMIN, read_client),
	    .gives = &client_shape },
	{ ROUTE(PATCH, ONE_CLIENT, "Change what is given of a program", ADMIN, change_client),
	    .takes = &changed_client_shape, .gives = &client_shape, .versioned = VERSION_OF("api_clients"), .transaction = true },
	{ ROUTE(POST, ONE_CLIENT "/secret", "Give a program another secret; what it had is refused from then on", ADMIN, renew_secret),
	    .gives = &created_client_shape, .status = 200, .secret = true, .transaction = true },
	{ ROUTE(DELETE, ONE_CLIENT, "Let a program have no more tokens", ADMIN, delete_client),
	    .versioned = VERSION_OF("api_clients"), .transaction = true }),
	.jobs = JOBS(&sweep_tokens),
	.crons = CRONS({ .name = "tokens.nightly", .spec = "10 3 * * *", .kind = &sweep_tokens }) };
/* clang-format on */
