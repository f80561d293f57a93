/* queue_entry.h - how a job comes into the queue: one, or many of a kind at once. */
#ifndef STORE_QUEUE_ENTRY_H
#define STORE_QUEUE_ENTRY_H

#include "base/uuid.h"
#include "store/connection.h"

struct queue_entry {
	const char *id; /* a new UUID */
	const char *kind;
	long long priority, max_attempts;
	const char *run_at; /* a time as SQL takes it; NULL: now */
	long long delay_ms; /* beyond that */
	const char
	    *unique;       /* two with the same are one, until it is claimed; NULL: no such thing */
	long long user_id; /* 0: nobody */
	const char *traceparent;
	const char *args; /* JSON */
};

/*
 * A statement that enqueues; its values live in ARENA.  Its row is the job's id
 * and state: the id of another one when that has the same unique text and waits
 * still, which then runs at the earlier of the two times.
 */
struct statement queue_entry_statement(struct arena *, const struct queue_entry *);

/* The same for COUNT jobs of one kind, for which IDS and ARGS say what differs; no rows. */
struct statement queue_entries_statement(struct arena *, const struct queue_entry *,
    const char (*ids)[UUID_TEXT], const char *const *args, size_t count);

/*
 * Tells waiting workers that there is something to do.  Run by itself, behind the
 * commit: NOTIFY in a transaction makes all commits of the server queue up.
 */
extern const struct statement queue_wake_statement;

#endif
