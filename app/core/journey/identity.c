/*
 * identity.c - may they who ask, by what the route's line says.
 *
 * A 401 names no scheme (WWW-Authenticate): with one, browsers would
 * show a dialog of their own instead of the page that people sign in at.
 */
#include "core/journey/identity.h"

#include "core/answer/problem.h"
#include "core/identity/bearer.h"
#include "core/identity/role.h"

/*
 * What an account is reached by, its address, its password, its sessions, decides about all
 * that it may: a program that was given a little of that must not come by the rest.
 */
static bool lacks_person(const struct request *rq)
{
	return rq->route->in_person && rq->client != NULL;
}

int identity_refuse(struct request *rq)
{
	if (rq->role == ANYONE)
		return reply_refusal(rq, 401, "not_signed_in", "Sign in first.");
	if (lacks_person(rq)) {
		audit(rq, AUDIT_TOKEN_REFUSED, .subject = "This takes a session");
		bearer_challenge(rq, "insufficient_scope", "This takes a session");
		return reply_refusal(rq, 403, "session_needed",
		    "Only somebody who has signed in may do this, and no token.");
	}
	if (rq->client != NULL)
		bearer_challenge(rq, "insufficient_scope", "This takes a higher role");
	return reply_refusal(rq, 403, "role_too_low", "This takes the role %s; yours is %s.",
	    role_name(rq->route->access), role_name(rq->role));
}

bool identity_may(const struct request *rq)
{
	return rq->role >= rq->route->access && !lacks_person(rq);
}
