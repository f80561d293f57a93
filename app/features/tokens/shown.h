/*
 * shown.h - a client that has shown its secret, in Authorization: Basic or in the form.
 *
 * RFC 6749, 2.3.1; whoever has not is answered here.
 */
#ifndef FEATURES_TOKENS_SHOWN_H
#define FEATURES_TOKENS_SHOWN_H

#include "features/tokens/tokens.h"

/* What the form of /oauth/token says. */
struct token_request {
	const char *grant_type, *client_id, *client_secret, *scope, *refresh_token;
};

struct shown {
	const char *id; /* as it calls itself */
	const char *user_id, *username, *scope;
	long long number; /* the id of its row */
	const char *role; /* the lower of its own and the user's */
	bool refresh;     /* whether it gets refresh tokens */
};

/* 0, or the status of the answer that says what is wrong with it. */
int shown_find(struct request *, const struct token_request *, struct shown *) MUST_CHECK;

/* Answers with one of the errors of RFC 6749, 5.2. */
int oauth_refuse(struct request *, int status, const char *error, const char *description);

#endif
