/*
 * jwt.c - fuzzes access tokens: nothing but what our key has signed is ever right.
 *
 * The input is a token, or a header and claims, a line each, of which one is made with
 * a signature that cannot be right.  None of them may pass, whatever libjwt makes of it.
 */
#include "core/identity/jwt.h"

#include <string.h>

#include "base/crypto.h"
#include "t/fuzz/world.h"

/* A key that no input knows. */
static const struct signing_key *our_key(void)
{
	static struct arena *arena; /* for as long as the process */
	static struct signing_key key;

	if (arena == NULL) {
		arena = arena_new(4096);
		signing_key_make(arena, &key);
	}
	return &key;
}

static void judge(struct arena *arena, const char *token)
{
	const struct signing_key *key = our_key();
	struct claims claims = { .issuer = "ostler", .audience = "ostler-api" };
	const char *kid = NULL;

	if (jwt_key_name(arena, token, &kid) == JWT_RIGHT)
		HOLDS(kid != NULL);
	HOLDS(jwt_signature(token, key) != JWT_RIGHT);
	/* As if the signature had been right: no claim may be missing then. */
	if (jwt_claims(arena, token, 1700000000, &claims) == JWT_RIGHT)
		HOLDS(claims.subject != NULL && claims.client != NULL && claims.role != NULL &&
		      claims.scope != NULL && claims.id != NULL && claims.expires_at > 1700000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	char *text = world_text(arena, bytes, size);
	char *claims = strchr(text, '\n');

	judge(arena, text);
	if (claims == NULL)
		return 0;
	*claims++ = '\0';
	judge(arena, arena_print(arena, "%s.%s.%s", base64url_write(arena, text, strlen(text)),
			 base64url_write(arena, claims, strlen(claims)),
			 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			 "AAAAAAAAAAAAA"));
	return 0;
}
