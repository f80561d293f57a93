/*
 * session.h - who has signed in: an id in a cookie, a row in PostgreSQL, a copy in Redis.
 *
 * The id is 32 random bytes, in the cookie as 43 letters of base64url and nowhere
 * else: table and Redis know its SHA-256, so that who reads either can sign in as
 * nobody.  A hash without salt or price is right for what cannot be guessed.
 *
 * PostgreSQL is the truth.  The copy spares asking it: it is made under a lease and
 * dropped behind the commit of whatever ends the session (store/cache.h), so that a
 * session that has ended is never put back by a request that had read it before.  A
 * Redis that is gone or empty costs a statement per request and signs nobody out.
 */
#ifndef CORE_IDENTITY_SESSION_H
#define CORE_IDENTITY_SESSION_H

#include "base/crypto.h"
#include "core/journey/request.h"

/* How a session is called: what stands for its id wherever it is kept. */
struct session {
	unsigned char hash[DIGEST_BYTES];
	const char *key; /* of its copy in Redis: "session:" and the hash in base64url */
};

/*
 * The session that the request's cookie names, whether or not there is such a one; NULL: it
 * has no cookie, or one of another form than ours.
 */
const struct session *session_named(struct request *);

/* Whether there is such a cookie, and it can be no session: not even one that has ended. */
bool session_is_malformed(struct request *);

/*
 * Both find out who is asking: they fill user_id, role, username and session of the request.
 *
 * session_hear: by the copy, which REPLY is what GET said of; NULL: Redis is not to be had.
 * False: there is none that counts, and COPY has the lease for a new one, if any.
 */
bool session_hear(struct request *, const struct session *, struct cached *copy,
    const struct redis_reply *reply) MUST_CHECK;

/*
 * By the row, of which it makes a copy.  Returns 0, or the status of the answer when it cannot
 * be known (503).  Nobody, when the session is none, has ended or is too old.
 */
int session_read(struct request *, const struct session *, struct cached *copy);

#endif
