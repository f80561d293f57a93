/* whose.c - session, quota and kept answer of a request, in one round trip. */
#include "core/journey/whose.h"

#include "core/answer/kept.h"
#include "core/journey/quota.h"

/*
 * KEYS: the copy of the session.  ARGV: the key of the quota but for the user, and three words
 * of gcra_script; the key of the kept answer before and behind the user, and "user" if it
 * has one.  An empty key is not asked for, nor is the answer of a request that is refused.
 * Returns the copy, the grant and the answer; nothing without a copy.
 */
const char whose_script[] =
    "local function take(KEYS, ARGV) " GCRA_SCRIPT " end "
    "local copy = redis.call('GET', KEYS[1]) "
    "local user = copy and string.match(copy, '^%d+ %d+\\n(%d+) ') "
    "if not user then return copy end "
    "local grant, value = false, false "
    "if ARGV[1] ~= '' then grant = take("
    "  { ARGV[1] .. string.format('%x', user) }, { ARGV[2], ARGV[3], ARGV[4] }) end "
    "if ARGV[5] ~= '' and not (grant and grant[1] == 0) then "
    "  local key = ARGV[5] "
    "  if ARGV[7] ~= '' then key = key .. user .. ARGV[6] end "
    "  value = redis.call('GET', key) end "
    "return { copy, grant, value }";

/* What Redis is asked for, and what it said; replies are unset without one. */
struct asked {
	bool limit, value;
	struct kept_halves key;
	struct redis_reply copy, grant, found;
};

/* --- with a script --- */

static struct script_call call_for(
    struct request *rq, const struct session *session, const struct asked *asked)
{
	struct script_call call = { .keys = 1,
		.words = { session->key, "", "", "", "", "", "", "" } };

	if (asked->limit)
		limits_words(rq->app->limits, rq->arena,
		    &(struct limited){ .policy = rq->limited.policy, .kind = QUOTA_OF_USER },
		    call.words + 1);
	if (asked->value) {
		call.words[5] = asked->key.before;
		call.words[6] = asked->key.after != NULL ? asked->key.after : "";
		call.words[7] = asked->key.after != NULL ? "user" : "";
	}
	return call;
}

static bool ask_script(struct request *rq, const struct session *session, struct asked *asked)
{
	struct script_call call = call_for(rq, session, asked);
	struct redis_reply reply;

	if (!script_run(rq->app->redis, rq->arena, &rq->app->whose, &call, &reply))
		return false;
	/* Without a user in it there is only the copy, if that. */
	asked->copy = reply;
	if (reply.kind != REDIS_LIST || reply.length != 3)
		return true;
	asked->copy = reply.list[0];
	asked->grant = reply.list[1];
	asked->found = reply.list[2];
	return true;
}

/* --- without --- */

static bool ask_plainly(
    struct request *rq, const struct redis_command *get_copy, struct asked *asked)
{
	struct redis_command commands[2] = { *get_copy, { .words = { "GET", asked->key.before } } };
	struct redis_reply replies[2];

	if (!redis_run(rq->app->redis, rq->arena, asked->value ? 2 : 1, commands, replies))
		return false;
	asked->copy = replies[0];
	if (asked->value)
		asked->found = replies[1];
	return true;
}

/* --- what it said --- */

static void hear(struct request *rq, const struct asked *asked)
{
	if (asked->limit)
		rq->verdict = limits_hear(rq->app->limits, rq->arena, &rq->limited, &asked->grant);
	/* Only for whom it is: a lease may be taken, which nobody must have who is refused. */
	if (asked->value && rq->verdict.admitted && rq->role >= rq->route->access)
		kept_hear(rq, &asked->found);
}

enum whose whose_ask(
    struct request *rq, const struct session *session, bool limit, struct cached *copy)
{
	struct asked asked = { .limit = limit, .value = kept_is_asked(rq) };
	struct redis_command get_copy;
	bool replied;

	*copy = (struct cached){ .key = session->key };
	if (!cache_ask(rq->app->cache, rq->arena, copy, &get_copy))
		return WHOSE_UNKNOWN;
	if (asked.value)
		asked.key = kept_halves(rq);
	if (asked.limit || asked.key.after != NULL)
		replied = ask_script(rq, session, &asked);
	else
		replied = ask_plainly(rq, &get_copy, &asked);
	if (!session_hear(rq, session, copy, replied ? &asked.copy : NULL))
		return WHOSE_UNKNOWN;
	/* Somebody else was making the copy, and we have waited for it: the script had none. */
	if (asked.limit && asked.grant.kind != REDIS_LIST)
		return WHOSE_USER;
	hear(rq, &asked);
	return WHOSE_ALL;
}
