/*
 * identity.c - may they who ask, by the role in the route's line.
 *
 * A 401 names no scheme (WWW-Authenticate): with one, browsers would
 * show a dialog of their own instead of the page that people sign in at.
 */
#include "core/journey/identity.h"

#include "core/answer/problem.h"
#include "core/identity/bearer.h"
#include "core/identity/role.h"

int identity_refuse(struct request *rq)
{
	if (rq->role == ANYONE)
		return reply_refusal(rq, 401, "not_signed_in", "Sign in first.");
	if (rq->client != NULL)
		bearer_challenge(rq, "insufficient_scope", "This takes a higher role");
	return reply_refusal(rq, 403, "role_too_low", "This takes the role %s; yours is %s.",
	    role_name(rq->route->access), role_name(rq->role));
}

bool identity_may(const struct request *rq)
{
	return rq->role >= rq->route->access;
}
