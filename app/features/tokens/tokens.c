/* tokens.c - access for programs: who may have tokens, how they get them, and how they are checked.
 */
#include "features/tokens/tokens.h"

/* clang-format off */
const struct feature tokens_feature = { .name = "tokens", .doc = "Access for programs: OAuth 2.0.", .routes = ROUTES(
	{ ROUTE(GET, "/.well-known/jwks.json", "The public keys of access tokens", ANYONE, list_keys),
	    .media = "application/json" }) };
/* clang-format on */
