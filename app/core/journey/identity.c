/*
 * identity.c - the authenticate stage: who is asking, and may they.
 *
 * What a route asks for stands in its line.  Whoever may not is refused here, before
 * anything of the request is looked at or done; on a route for anyone nobody is asked
 * who they are.  A 401 names no scheme (WWW-Authenticate): with one, browsers would
 * show a dialog of their own instead of the page that people sign in at.
 */
#include "core/answer/problem.h"
#include "core/identity/bearer.h"
#include "core/identity/role.h"
#include "core/identity/session.h"
#include "core/journey/journey.h"

static int refuse(struct request *rq)
{
	if (rq->role == ANYONE)
		return reply_refusal(rq, 401, "not_signed_in", "Sign in first.");
	if (rq->client != NULL)
		bearer_challenge(rq, "insufficient_scope", "This takes a higher role");
	return reply_refusal(rq, 403, "role_too_low", "This takes the role %s; yours is %s.",
	    role_name(rq->route->access), role_name(rq->role));
}

/* A token counts in the place of a cookie, right or wrong: no request is of two people. */
static int identify(struct request *rq)
{
	const struct session *session;

	if (bearer_is_sent(rq))
		return bearer_identify(rq);
	session = session_named(rq);
	return session != NULL ? session_identify(rq, session) : 0;
}

int stage_authenticate(struct request *rq)
{
	int answered;

	if (rq->route->access == ANYONE)
		return 0;
	answered = identify(rq);
	if (answered != 0)
		return answered;
	return rq->role >= rq->route->access ? 0 : refuse(rq);
}
