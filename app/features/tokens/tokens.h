/* tokens.h - what the files of this feature share. */
#ifndef FEATURES_TOKENS_H
#define FEATURES_TOKENS_H

#include "core/core.h"

/* The text that bytea takes: of a secret never more than its digest is stored. */
const char *secret_digest(struct arena *, const char *secret);

/* A secret that nobody can guess, 43 letters of base64url, in the arena. */
const char *secret_make(struct arena *);

/* clients.c: which programs there are. */
handler_fn list_clients, create_client, read_client, change_client, delete_client, renew_secret;
extern const struct shape client_shape, created_client_shape, new_client_shape,
    changed_client_shape, client_page_shape;

/* oauth.c: how they get tokens. */
handler_fn give_token;
extern const struct shape token_request_shape, token_answer_shape;
extern const struct job_kind sweep_tokens;

/* jwks.c: how others check them. */
handler_fn list_keys;

#endif
