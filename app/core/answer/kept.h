/*
 * kept.h - answers that come from the cache, and what becomes of them.
 *
 * A route says under which key its answer is kept and which keys a change drops
 * (core/route.h); no handler does anything for it.
 */
#ifndef CORE_ANSWER_KEPT_H
#define CORE_ANSWER_KEPT_H

#include "core/journey/request.h"

/* The kept answer as this request's, and its status; 0: there is none, the handler is to make it.
 */
int kept_find(struct request *);

/*
 * Behind the handler and whatever commits its work, before the answer leaves:
 * keeps the answer that was made, and drops the keys that the change has made wrong.
 */
void kept_settle(struct request *);

#endif
