/*
 * kept.h - answers that come from the cache, and what becomes of them.
 *
 * A route says under which key its answer is kept and which keys a change drops
 * (core/route.h); no handler does anything for it.
 */
#ifndef CORE_ANSWER_KEPT_H
#define CORE_ANSWER_KEPT_H

#include "core/journey/request.h"

/*
 * Prepares rq->cached and the command that asks the cache for this request's answer.
 * False: there is nothing to ask.  What came of it is for cache_hear.
 */
bool kept_ask(struct request *, struct redis_command *);

/*
 * The same for who asks before it is known who that is.  kept_is_asked: whether there is
 * anything to ask for; kept_halves: its key before and behind the user; kept_hear: what GET
 * replied, once the user is known.
 */
struct kept_halves {
	const char *before, *after; /* NULL: the user is not in it, and all of it is before */
};
bool kept_is_asked(struct request *);
struct kept_halves kept_halves(struct request *);
void kept_hear(struct request *, const struct redis_reply *);

/*
 * The stage behind it: the answer as it was kept, and its status; 0: there is none,
 * the handler is to make it.
 */
int stage_find(struct request *);

/*
 * Behind the handler and whatever commits its work, before the answer leaves:
 * keeps the answer that was made, and drops the keys that the change has made wrong.
 */
void kept_settle(struct request *);

/* A lease that no stage has used, since one before the handler answered, is given back. */
void kept_release(struct request *);

#endif
