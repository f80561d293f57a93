/*
 * lanes.h - the kinds that a worker runs: what it knows of each, and what it asks of the queue.
 *
 * They stand in the order of their priority; those of the same take turns.
 */
#ifndef CORE_JOBS_LANES_H
#define CORE_JOBS_LANES_H

#include "core/jobs/run.h"

struct lane {
	const struct job_kind *kind;
	bool limited;
	int64_t mean_us;     /* that its jobs take; 0: none yet */
	long long batch;     /* how many were claimed at most */
	int64_t empty_until; /* clock_now: it had nothing, and is not asked before */
	bool marked; /* the mark is that of the last job seen; without one all are looked at */
	char priority[8], run_at[40], id[UUID_TEXT];
};

struct lanes {
	struct arena *arena;
	size_t count;
	struct lane *of;
	bool asked_all;      /* by the last lanes_ask: none was left out because it had nothing */
	size_t turn;         /* whose turn it is to be asked first, among equals */
	int64_t marks_until; /* clock_now: from then on all are looked at once */
};

struct lanes lanes_of(const struct feature *const *features, struct arena *);

/* NULL: no kind of ours, which cannot be, since only ours are asked for. */
struct lane *lanes_find(const struct lanes *, const char *kind);

/* Fills the claim's lanes with those that have no limits; at most MOST jobs of each. */
void lanes_ask(struct lanes *, struct arena *, struct queue_claim *, long long most);

/* The same for a claim that wants no more of them than their names. */
void lanes_name(const struct lanes *, struct arena *, struct queue_claim *);

/* Whatever had nothing may have something now. */
void lanes_refresh(struct lanes *);

/* Remembers where the claim's rows ended in each lane; TOOK is how long the claim took. */
void lanes_mark(struct lanes *, const struct queue_claim *, const struct rows *, int64_t took_us);

/* A job of the lane has run for so long. */
void lane_ran(struct lane *, int64_t us);

/* Whether its jobs are worth a statement each: to count the attempt before it begins. */
bool lane_is_slow(const struct lane *);

#endif
