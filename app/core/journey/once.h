/*
 * once.h - Idempotency-Key: what is to be created once is created once, however
 * often a client has to ask (draft-ietf-httpapi-idempotency-key-header-07);
 * private to core/.
 *
 * A route that creates (a POST whose success is 201 or 202) takes the header. Its
 * answer is stored in the transaction of its effect: a worker that dies, or a
 * connection that breaks, leaves both or neither, and whoever asks again gets the
 * stored answer or makes the first one.  Of two at once the second is told to wait:
 * the first holds an advisory lock of PostgreSQL, which goes with its transaction,
 * and nobody waits for it in here.
 *
 * An answer that is an error is not stored: nothing has happened, and asking again
 * is what the client should do.
 */
#ifndef CORE_JOURNEY_ONCE_H
#define CORE_JOURNEY_ONCE_H

#include "core/journey/request.h"

/*
 * The stage: reads the key, 400 when it is none, and from then on takes the
 * fingerprint of the body while it is read, wherever that is.
 */
int stage_once(struct request *);

/* Whether the request has a key. */
static inline bool once_is_asked(const struct request *rq)
{
	return rq->once != NULL;
}

/*
 * Within the transaction that has begun: 0 when this request is the first with its
 * key; otherwise the status of its answer: the stored one, 409 or 422.
 */
int once_claim(struct request *);

/* Stores the answer, whose own header lines begin at LINES, with the commit that follows. */
void once_store(struct request *, size_t lines);

#endif
