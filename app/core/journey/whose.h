/*
 * whose.h - whose request it is, whether their quota admits it and what the cache has for it,
 * asked of Redis at once.
 *
 * The count of a quota and the key of a kept answer depend on a user whom only the
 * session knows.  Asking one after the other would be a round trip for each, so a script
 * reads the session, fills its user in, and goes on.  Where nothing depends on the user
 * plain GETs do, which cost Redis a third less.
 */
#ifndef CORE_JOURNEY_WHOSE_H
#define CORE_JOURNEY_WHOSE_H

#include "core/identity/session.h"
#include "core/journey/request.h"

extern const char whose_script[];

/* What is known once Redis has answered. */
enum whose {
	WHOSE_UNKNOWN, /* nothing: no copy can be used; COPY has the lease for a new one, if any */
	WHOSE_USER,    /* who asks, and nothing else */
	WHOSE_ALL      /* rq->verdict is theirs; rq->cached has what there is, if they may */
};

/* Asks for the copy of SESSION, with LIMIT for the quota of its user, and for the kept answer. */
enum whose whose_ask(struct request *, const struct session *, bool limit, struct cached *copy);

#endif
