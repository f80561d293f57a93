/*
 * bearer.h - who asks with an access token (RFC 6750): Authorization: Bearer …
 *
 * A token says for whom it acts, in which role and within which scope; nothing else is
 * asked, neither PostgreSQL nor Redis.  That is its price, too: it counts until it
 * expires (token_lifetime), whatever has become of its user or client meanwhile.
 */
#ifndef CORE_IDENTITY_BEARER_H
#define CORE_IDENTITY_BEARER_H

#include "core/journey/request.h"

/* Whether the request brings credentials of this kind, right or wrong: then no cookie counts. */
bool bearer_is_sent(const struct request *);

/*
 * Finds out who is asking: fills user_id, role, username and client of the request.
 * Returns 0, or the status of the answer when the token is not right or its scope does not
 * reach so far.
 */
int bearer_identify(struct request *);

/* Authorization is there twice, of whichever kinds: the answer, 400, and its line of the audit. */
int bearer_refuse_twice(struct request *);

/* To whoever has a token that reaches not far enough, as a line of the answer's head. */
void bearer_challenge(struct request *, const char *error, const char *description);

#endif
