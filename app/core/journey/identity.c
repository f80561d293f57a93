/*
 * identity.c - the authenticate stage: who is asking, and may they.
 *
 * Until people can sign in, everyone is the demo user of the configuration.
 * This is the one place that knows.
 */
#include "core/answer/problem.h"
#include "core/journey/journey.h"

#include <stdlib.h>

static int find_demo_user(struct request *rq)
{
	const struct rows *rows = query(
	    rq, "SELECT id FROM users WHERE lower(username) = lower($1)", rq->app->demo_user);

	if (rq->failure != DONE)
		return problem_of_failure(rq);
	if (rows->count == 0)
		return reply_problem(rq, 401, "There is no user \"%s\".", rq->app->demo_user);
	rq->app->demo_user_id = strtoll(rows_text(rows, 0, 0), NULL, 10);
	return 0;
}

int stage_authenticate(struct request *rq)
{
	if (rq->route->access == ANYONE)
		return 0;
	if (rq->app->demo_user_id == 0) {
		int answered = find_demo_user(rq);

		if (answered != 0)
			return answered;
	}
	rq->user_id = rq->app->demo_user_id;
	return 0;
}
