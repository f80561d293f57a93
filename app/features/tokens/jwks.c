/* jwks.c - the keys that others check our tokens with (RFC 7517). */
#include "core/answer/json.h"
#include "core/core.h"
#include "core/identity/keyring.h"
#include "features/tokens/tokens.h"

static void write_key(struct buffer *out, const struct signing_key *key)
{
	json_open(out, '{');
	json_key_text(out, "kty", "EC");
	json_key_text(out, "crv", "P-256");
	json_key_text(out, "alg", "ES256");
	json_key_text(out, "use", "sig");
	json_key_text(out, "kid", key->kid);
	json_key_text(out, "x", key->x);
	json_key_text(out, "y", key->y);
	json_close(out, '}');
}

/* Without keys it is an empty set: there is nothing that could be checked. */
int list_keys(struct request *rq)
{
	struct keyring *ring = request_keys(rq);
	struct signing_key *keys = NULL;
	size_t count = ring != NULL ? keyring_all(ring, request_arena(rq), &keys) : 0;
	struct buffer out;

	buffer_start(&out, request_arena(rq), 1024);
	json_open(&out, '{');
	json_key_open(&out, "keys", '[');
	for (size_t i = 0; i < count; i++)
		write_key(&out, &keys[i]);
	json_close(&out, ']');
	json_close(&out, '}');
	return reply_json(rq, 200, out.data, out.length);
}
