/* counts.h - what a web worker counts beside its requests; ostlerctl(8) shows it per pool. */
#ifndef CORE_JOURNEY_COUNTS_H
#define CORE_JOURNEY_COUNTS_H

#include "core/journey/request.h"

enum count { COUNT_CACHE_HITS, COUNT_CACHE_MISSES, COUNT_LIMITED, COUNTS };

/* Names them on the board; before threads start. */
void counts_name(struct scoreboard *);

static inline void counts_add(struct request *rq, enum count count)
{
	score_add(&rq->score->counter[count], 1);
}

#endif
