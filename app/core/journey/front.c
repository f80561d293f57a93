/*
 * front.c - the front stage: who is asking, may they, and what of it Redis knows, in one round
 * trip.
 *
 * Each question is a command, and all of them leave together: the copy of the session,
 * whether the quota admits the request (only when this process has used up what it was
 * lent), and the value that the cache has for it.  What needs no decision in Redis is a
 * plain GET; whose.c has the script for what depends on the session's user.
 *
 * Whoever has no session, on a route for anyone too, counts by their address.  So does a
 * session of which there is no copy, before PostgreSQL is asked for it: who makes ids up
 * gets no more statements out of us than their address is good for.
 */
#include "base/clock.h"
#include "core/answer/kept.h"
#include "core/identity/bearer.h"
#include "core/journey/identity.h"
#include "core/journey/journey.h"
#include "core/journey/quota.h"
#include "core/journey/whose.h"

/* --- of whoever is known --- */

/* The questions of a request, in the order of their commands. */
struct questions {
	bool limit, value;
	struct redis_command commands[2];
	struct redis_reply replies[2];
	bool replied;
};

static const struct redis_reply *reply_to(const struct questions *questions, size_t number)
{
	return questions->replied ? &questions->replies[number] : NULL;
}

static void gather(struct request *rq, struct questions *questions)
{
	struct redis_command *next = questions->commands;

	questions->limit = !limits_judge(rq->app->limits, &rq->limited, rq->started, &rq->verdict);
	if (questions->limit)
		*next++ = limits_ask(rq->app->limits, rq->arena, &rq->limited);
	/* Nobody asks for a value only to be refused. */
	questions->value = (questions->limit || rq->verdict.admitted) && identity_may(rq) &&
			   kept_ask(rq, next);
}

static void ask(struct request *rq)
{
	struct questions questions = { .limit = false };
	size_t count;

	gather(rq, &questions);
	count = (size_t)questions.limit + (size_t)questions.value;
	questions.replied = count > 0 && redis_run(rq->app->redis, rq->arena, count,
					     questions.commands, questions.replies);
	if (questions.limit)
		rq->verdict = limits_hear(
		    rq->app->limits, rq->arena, &rq->limited, reply_to(&questions, 0));
	/* Only now: it may take a lease, which who is refused must not have. */
	if (questions.value && rq->verdict.admitted)
		cache_hear(
		    rq->app->cache, rq->arena, &rq->cached, reply_to(&questions, questions.limit));
}

/* --- of a session --- */

static void ask_of_user(struct request *rq)
{
	quota_find_user(rq);
	ask(rq);
}

/* Without a copy: the row, and then all that depends on whose it is.  0, or a 503. */
static int read_session(struct request *rq, const struct session *session, struct cached *copy)
{
	int answered;

	quota_find_address(rq);
	/* What is kept is not for somebody who is not known yet, so this asks for the quota alone.
	 */
	ask(rq);
	if (!rq->verdict.admitted) {
		cache_release(rq->app->cache, rq->arena, copy);
		return 0;
	}
	answered = session_read(rq, session, copy);
	if (answered != 0 || rq->user_id == 0)
		return answered;
	ask_of_user(rq);
	return 0;
}

static int ask_of_session(struct request *rq, const struct session *session)
{
	struct cached copy;
	bool known;

	quota_find_session(rq, session);
	known = limits_judge(rq->app->limits, &rq->limited, rq->started, &rq->verdict);
	if (known && !rq->verdict.admitted)
		return 0;
	switch (whose_ask(rq, session, !known, &copy)) {
	case WHOSE_UNKNOWN:
		return read_session(rq, session, &copy);
	case WHOSE_USER:
		ask_of_user(rq);
		return 0;
	default:
		return 0;
	}
}

/* --- of all others --- */

/* A token says by itself for whom it is; with one that is not right one is an address. */
static int ask_of_bearer(struct request *rq)
{
	int answered = bearer_identify(rq);

	if (answered == 0)
		quota_find_user(rq);
	else
		quota_find_address(rq);
	ask(rq);
	return answered;
}

static int ask_of_nobody(struct request *rq)
{
	quota_find_address(rq);
	ask(rq);
	return 0;
}

/* A token counts in the place of a cookie, right or wrong: no request is of two people. */
static int ask_of_somebody(struct request *rq)
{
	const struct session *session;

	if (bearer_is_sent(rq))
		return ask_of_bearer(rq);
	session = session_named(rq);
	if (session == NULL && session_is_malformed(rq))
		audit(rq, AUDIT_SESSION_REFUSED,
		    .subject = arena_print(
			rq->arena, "%s %s", method_name(rq->method), rq->template));
	return session != NULL ? ask_of_session(rq, session) : ask_of_nobody(rq);
}

int stage_front(struct request *rq)
{
	int64_t asked = clock_now(), in_database = rq->db_us;
	int answered = rq->route->access == ANYONE ? ask_of_nobody(rq) : ask_of_somebody(rq);

	rq->redis_us += clock_now() - asked - (rq->db_us - in_database);
	quota_tell(rq);
	if (!rq->verdict.admitted)
		return quota_refuse(rq);
	if (answered != 0)
		return answered;
	return identity_may(rq) ? rq->response.status : identity_refuse(rq);
}
