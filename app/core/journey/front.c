/*
 * front.c - the front stage: what a request needs of Redis before it is let in, in one round trip.
 *
 * Each question is a command, and all of them leave together: whether the quota
 * admits the request (only when this process has used up what it was lent), and
 * the value that the cache has for it.  A GET costs less than a script that does
 * the same, so what needs no decision in Redis is no script.  A session is one
 * more question; where the key of the value depends on whom it names, a script
 * that reads the session, fills {user} in and returns both takes the GET's place.
 *
 * Most requests have nothing to ask, and make no round trip.
 */
#include "base/clock.h"
#include "core/answer/kept.h"
#include "core/journey/journey.h"
#include "core/journey/quota.h"

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
	questions->value = (questions->limit || rq->verdict.admitted) && kept_ask(rq, next);
}

static void ask(struct request *rq, struct questions *questions)
{
	size_t count = (size_t)questions->limit + (size_t)questions->value;

	questions->replied = count > 0 && redis_run(rq->app->redis, rq->arena, count,
					      questions->commands, questions->replies);
	if (questions->limit)
		rq->verdict = limits_hear(
		    rq->app->limits, rq->arena, &rq->limited, reply_to(questions, 0));
	/* Only now: it may take a lease, which who is refused must not have. */
	if (questions->value && rq->verdict.admitted)
		cache_hear(
		    rq->app->cache, rq->arena, &rq->cached, reply_to(questions, questions->limit));
}

int stage_front(struct request *rq)
{
	struct questions questions = { .limit = false };

	quota_find(rq);
	gather(rq, &questions);
	if (questions.limit || questions.value) {
		int64_t asked = clock_now();

		ask(rq, &questions);
		rq->redis_us += clock_now() - asked;
	}
	quota_tell(rq);
	return rq->verdict.admitted ? rq->response.status : quota_refuse(rq);
}
