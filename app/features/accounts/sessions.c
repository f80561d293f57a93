/* sessions.c - where somebody is signed in, and how to be rid of it. */
#include "features/accounts/account.h"

struct signed_in {
	const char *id, *created_at, *seen_at, *expires_at, *address, *agent;
	bool current;
};
struct session_id {
	const char *id;
};

/* clang-format off */
const struct shape signed_in_shape = SHAPE_NAMED("session", struct signed_in,
	{ FIELD(struct signed_in, id), .doc = "Not what the cookie holds: nobody can sign in with it." },
	{ FIELD(struct signed_in, current), .doc = "Whether it is the one that asks." },
	{ FIELD_AS(struct signed_in, created_at, TIME) },
	{ FIELD_AS(struct signed_in, seen_at, TIME), .doc = "When it was last used, to the minute." },
	{ FIELD_AS(struct signed_in, expires_at, TIME), .doc = "When it ends, however much it is used." },
	{ FIELD(struct signed_in, address), .nullable = true, .doc = "Where the sign-in came from." },
	{ FIELD(struct signed_in, agent), .nullable = true, .doc = "What the browser called itself then." });

const struct shape session_id_shape = SHAPE(struct session_id,
	{ FIELD(struct session_id, id), .pattern = "^[A-Za-z0-9_-]{43}$", .required = true,
	    .example = "RqfVFLrYm1bOlrTSHDqxUhVrnUVLJdaBBr3cCEWj6gk" });
/* clang-format on */

/* All of them: a user has SESSIONS_MOST at most. */
int list_sessions(struct request *rq)
{
	return reply_list(rq, sessions_of(rq), SESSIONS_MOST);
}

int end_session(struct request *rq)
{
	const struct session_id *in = input(rq);

	return reply_done(rq, session_end_one(rq, user_id(rq), in->id));
}

int end_all_sessions(struct request *rq)
{
	sessions_end_all(rq, user_id(rq));
	session_end(rq);
	return reply_done(rq, NULL);
}

/* --- upkeep --- */

static enum job_end sweep(struct request *rq)
{
	sessions_sweep(rq);
	return job_done(rq);
}

const struct job_kind sweep_sessions = { JOB("accounts.sweep", "Delete sessions that are over",
					     sweep),
	.max_attempts = 3, .timeout_s = 300 };
