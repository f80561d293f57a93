/* work.h - what all workers of a pool do together, old generations included. */
#ifndef SUPERVISOR_RECORD_WORK_H
#define SUPERVISOR_RECORD_WORK_H

#include "supervisor/pool/pool.h"
#include "supervisor/system/queue.h"

/* -1: it is not known. */
struct work {
	long long busy, idle; /* threads */
	long long memory;     /* bytes (PSS) */
	struct queue queue;   /* of the generation that serves: nobody new waits for an old one */
};

/* As of the last look at each (sight.h). */
void work_of_pool(const struct pool *, struct work *);

#endif
