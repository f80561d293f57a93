/*
 * verdict.h - what becomes of a worker whose process has ended.
 *
 * A crash is made good, and paid for with patience: each failure in a row doubles
 * the wait before the next try.
 */
#ifndef SUPERVISOR_POOL_VERDICT_H
#define SUPERVISOR_POOL_VERDICT_H

#include <stdint.h>

#include "supervisor/pool/pool.h"

/* How a process ended. */
struct ending {
	bool signalled;
	int code; /* the exit status, or the signal */
};

/* What becomes of a worker whose process has ended. */
struct verdict {
	enum worker_state next;
	unsigned failures; /* in a row, this one included */
	int64_t retry_at;
	bool failed; /* it should not have ended, or not like that */
};

/* RANDOM is any number: it spreads the workers that try again. */
struct verdict verdict_after_end(const struct pools *, const struct worker *, const struct ending *,
    int64_t now, uint32_t random);

/* The same when not even a process could be made: fork(2) failed. */
struct verdict verdict_after_no_start(const struct worker *, int64_t now, uint32_t random);

/*
 * Microseconds to wait after so many FAILURES in a row: backoff_first, doubled
 * with each more, at most backoff_longest; then up to a tenth more, by RANDOM.
 */
int64_t verdict_backoff(const struct pool_conf *, unsigned failures, uint32_t random);

#endif
