/*
 * attempts.c - sign-ins that came to nothing make the next one wait.
 *
 * Kept in PostgreSQL rather than in Redis: a sign-in asks it anyway, counting is one
 * step for all processes however many try at once, and a Redis that was flushed or is
 * gone forgives nobody.  sql/0012-attempts.sql says who waits how long, and why
 * nobody can be locked out.
 */
#include <math.h>
#include <stdlib.h>

#include "core/answer/problem.h"
#include "core/journey/network.h"
#include "core/journey/request.h"

static const char *network_of_request(struct request *rq)
{
	return network_text(rq->arena, rq->head.remote_address);
}

int attempt_begin(struct request *rq, const char *name)
{
	const struct attempt_options *options = &rq->app->attempts;
	const struct rows *rows = query(rq, "SELECT attempt_begin($1, $2, $3, $4, $5)", name,
	    network_of_request(rq), options->first, options->most, options->remembered);
	double wait;

	if (rows->fate != DONE)
		return problem_of_failure(rq);
	wait = ceil(strtod(rows_text(rows, 0, 0), NULL));
	if (wait <= 0)
		return 0;
	audit(rq, AUDIT_SIGN_IN_DELAYED, .actor = name);
	reply_retry_after(rq, (int)wait);
	return reply_refusal(rq, 429, "too_many_attempts",
	    "Signing in with this name has failed too often: come again in %.0f second%s.", wait,
	    wait == 1 ? "" : "s");
}

void attempt_end(struct request *rq, const char *name)
{
	query(rq, "SELECT attempt_end($1, $2)", name, network_of_request(rq));
}

void attempt_undo(struct request *rq, const char *name)
{
	query(rq, "SELECT attempt_undo($1, $2)", name, network_of_request(rq));
}

void attempts_forget(struct request *rq)
{
	query_later(rq, "DELETE FROM attempts WHERE last_at < now() - make_interval(secs => $1)",
	    rq->app->attempts.remembered);
}
