/*
 * queue_upkeep.h - what one process at a time does for the queue of all.
 *
 * Whoever holds an advisory lock leads; when it dies PostgreSQL takes the lock
 * back, and the next that tries has it.  Each pass is short: it changes a
 * bounded number of rows, skips those that others have locked, and says how
 * many there were, so that the leader knows whether to go on at once.
 */
#ifndef STORE_QUEUE_UPKEEP_H
#define STORE_QUEUE_UPKEEP_H

#include "store/connection.h"

#define UPKEEP_BATCH 1000

/* How a pass ended: its fate, and the number of rows that it changed. */
struct upkeep {
	enum fate fate;
	long long rows;
};

/*
 * One row when this session leads now.  To be asked until it does, and not again:
 * the lock stays until the connection ends.
 */
struct upkeep upkeep_lead(struct connection *, struct arena *, int64_t deadline);

/*
 * Ends the session that leads if it has asked nothing for SILENT_MS, so that there
 * are never two who do.  One row when it has: the lock is free a moment later.
 */
struct upkeep upkeep_end_silent(
    struct connection *, struct arena *, long long silent_ms, int64_t deadline);

/* Whatever is due becomes available. */
struct upkeep upkeep_promote(struct connection *, struct arena *, int64_t deadline);

/*
 * Jobs whose lease has ended, since SINCE_MS before now (0: ever), are taken from
 * a worker that is dead or cut off: what had begun has used up an attempt, what
 * had not is available again, to be claimed by itself.
 */
struct upkeep upkeep_rescue(
    struct connection *, struct arena *, long long since_ms, int64_t deadline);

/* Makes the history's partitions for the coming days, drops those older than KEPT days. */
struct upkeep upkeep_history(
    struct connection *, struct arena *, long long kept_days, int64_t deadline);

/* The kinds that exist have a row where an operator can pause them. */
struct upkeep upkeep_register(
    struct connection *, struct arena *, struct value kinds, int64_t deadline);

/* What a worker has done of a kind since it told last; it adds up by the minute. */
struct upkeep_tally {
	const char *kind;
	long long completed, retried, failed, run_us, wait_us;
};
struct upkeep upkeep_tell(struct connection *, struct arena *, const struct upkeep_tally *,
    size_t count, int64_t deadline);

/* --- cron lines; times are seconds since 1970, by the server's clock --- */

struct upkeep_cron {
	const char *name, *spec, *kind;
	int64_t next; /* when it is due, from the moment on that is meant */
};

/* ROWS is the server's time. */
struct upkeep upkeep_now(struct connection *, struct arena *, int64_t deadline);

/* Makes a line known, if it is not as it stands here already.  ROWS is when it is due. */
struct upkeep upkeep_cron(
    struct connection *, struct arena *, const struct upkeep_cron *, int64_t deadline);

/*
 * If the line is due, enqueues its job and sets when it is due next, together:
 * once, whoever else tries.  One row when it was.
 */
struct queue_entry;
struct upkeep upkeep_fire(struct connection *, struct arena *, const struct upkeep_cron *,
    const struct queue_entry *, int64_t deadline);

#endif
