/*
 * condition.h - If-Match and If-None-Match of a change (RFC 9110, 13): is the row
 * still the one that the client has seen; private to core/.
 *
 * The route names the row whose version is asked (route.h, .versioned).  The row
 * is locked and its version read in the transaction of the change, in the same
 * round trip as the handler's first statement; the answer is compared when the
 * handler is done.  So no update can come between, and whoever may not see the row,
 * or asks for one that is not there, hears that and not whether a tag was right
 * (13.2.1: a condition is ignored where the answer would be no success without it).
 */
#ifndef CORE_JOURNEY_CONDITION_H
#define CORE_JOURNEY_CONDITION_H

#include "core/journey/request.h"

/* Whether a change was asked for under a condition. */
static inline bool condition_is_set(const struct request *rq)
{
	return rq->method != GET && (rq->head.if_match != NULL || rq->head.if_none_match != NULL);
}

/* The stage: 400 for a condition that is none, 428 where one is needed and not there. */
int stage_condition(struct request *);

/* Asks for the version, within the transaction that has begun. */
void condition_ask(struct request *);

/* Whether the condition holds, of a handler that has answered with success. */
bool condition_holds(struct request *);

#endif
