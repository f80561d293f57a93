/*
 * password.c - what is stored of passwords, and whether one is right.
 *
 * The one place where a request has a password hashed: whatever bounds or delays
 * that belongs here.
 */
#include "core/answer/problem.h"
#include "core/journey/request.h"

const char *password_keep(struct request *rq, const char *password)
{
	const char *hash = password_hash(rq->arena, password, &rq->app->passwords);

	if (hash == NULL)
		reply_problem(rq, 503, "There is no memory for this just now.");
	return hash;
}

bool password_matches(struct request *rq, const char *password, const char *hash)
{
	/* Nobody knows a password of the decoy, so what counts is the time that it takes. */
	const char *checked = hash != NULL ? hash : password_decoy(rq->arena, &rq->app->passwords);

	return password_fits(checked, password) && hash != NULL;
}

bool password_is_outdated(struct request *rq, const char *hash)
{
	return password_is_cheap(hash, &rq->app->passwords);
}
