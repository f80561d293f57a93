/*
 * queue.h - the queue of jobs in PostgreSQL, as a worker sees it: claim, keep, finish.
 *
 * A claim marks jobs as running and holds them by a token until its lease ends.
 * Whatever is said of a job later names that token, so that a worker that lost
 * its lease, and does not know it, changes nothing: its statement meets no row.
 * What ends is moved into the history by the same statement.
 *
 * Each queue_add_… puts a statement into a pipeline, whose statements are one
 * transaction and one round trip; their values live in the arena.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "base/uuid.h"
#include "store/connection.h"

/* Whom a NOTIFY wakes. */
#define QUEUE_CHANNEL "ostler_jobs"

/*
 * For a connection that does nothing but work on the queue.  The table is empty
 * at one moment and holds a million rows at the next, so statistics are of no
 * use: whatever they say, its rows are reached by an index.
 */
#define QUEUE_SESSION                                              \
	"SET enable_seqscan = off; SET enable_hashjoin = off;"     \
	"SET enable_mergejoin = off; SET enable_bitmapscan = off;" \
	"SET jit = off"

/* --- claiming --- */

/*
 * A kind to claim from, and how many at most.  Rows before the mark are not
 * looked at: where they are dead, and an old snapshot keeps them from being
 * removed, reading over them again and again is what makes a queue slow.
 */
struct queue_lane {
	const char *kind;
	long long most;
	const char *priority, *run_at, *id; /* the mark, as text: of the last job seen there */
};
#define QUEUE_NO_MARK_PRIORITY "-32768"
#define QUEUE_NO_MARK_RUN_AT   "-infinity"
#define QUEUE_NO_MARK_ID       "00000000-0000-0000-0000-000000000000"

struct queue_claim {
	const struct queue_lane *lanes; /* in the order in which they are asked */
	size_t count;
	long long most;  /* jobs of all lanes together */
	long long token; /* given to no other claim */
	long long lease_ms;
	const char *worker; /* who claims, for people */
};

void queue_add_claim(struct pipeline *, struct arena *, const struct queue_claim *);

/* One job that is to be claimed by itself, of any of the lanes' kinds. */
void queue_add_claim_alone(struct pipeline *, struct arena *, const struct queue_claim *);

/*
 * From a kind with limits: the claim's only lane.  The two statements that this
 * adds let one worker at a time through, so that the limits are exact; the
 * claim's rows are those of the second.
 */
struct queue_limits {
	long long running, per_second; /* 0: none */
};
void queue_add_claim_limited(
    struct pipeline *, struct arena *, const struct queue_claim *, const struct queue_limits *);

/* A job that was claimed: row I of the statement's rows. */
struct queue_job {
	const char *id, *kind, *args, *traceparent;
	const char *priority, *run_at; /* where it stands, as a lane's mark */
	long long attempt;             /* begun before, or with this one when it is begun */
	long long max_attempts, user_id, waited_us;
	bool begun;  /* this attempt is counted already: it was claimed by itself */
	bool cancel; /* it is to be cancelled */
};
struct queue_job queue_claimed(const struct rows *, int row);

/* Counts an attempt before it begins.  No row: the job is not ours any more. */
void queue_add_begin(struct pipeline *, struct arena *, const char *id, long long token);

/* --- while jobs run --- */

/* Renews the leases of COUNT jobs, sorted by id; the rows have those that are still ours. */
struct queue_beat {
	const char *id;
	int progress; /* percent; -1: nothing was said */
};
void queue_add_beat(struct pipeline *, struct arena *, const struct queue_beat *, size_t count,
    const struct queue_claim *);
bool queue_beat_cancels(const struct rows *, int row);
const char *queue_beat_id(const struct rows *, int row);

/* --- ending --- */

enum queue_verdict {
	QUEUE_COMPLETED,
	QUEUE_CANCELLED,
	QUEUE_DISCARDED, /* a dead letter */
	QUEUE_RETRY,     /* runs again after delay_ms */
	QUEUE_POSTPONED, /* the same, and the attempt does not count: not its fault */
};

struct queue_outcome {
	const char *id;
	enum queue_verdict verdict;
	const char *result; /* JSON, or NULL */
	const char *error;  /* why it did not complete, or NULL */
	long long us;       /* that it ran; -1: it was never begun */
	long long delay_ms;
};

/* Says how jobs of one claim have ended: one statement for those that are over, one for the others.
 */
void queue_add_outcomes(
    struct pipeline *, struct arena *, struct queue_outcome *, size_t count, long long token);

/*
 * The same for one job that is over, as a statement of the transaction that its
 * effects are: it fails, and everything with it, unless the job is still ours.
 */
struct statement queue_over_statement(
    struct arena *, const struct queue_outcome *, long long token);

/* Put before it, where statistics might lead PostgreSQL astray; see QUEUE_SESSION. */
extern const struct statement queue_by_index_statement;

/* How many of them were still ours, of all statements that queue_add_outcomes has put in front. */
long long queue_settled(const struct pipeline *, size_t statements);

/* Gives back what was claimed and not begun; another worker may have it at once. */
void queue_add_release(
    struct pipeline *, struct arena *, const char *const *ids, size_t count, long long token);

/*
 * Gives back all that a claim got whose answer was lost with the connection:
 * nobody has begun any of it.
 */
void queue_add_recover(struct pipeline *, struct arena *, long long token);

#endif
