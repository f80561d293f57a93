/*
 * scale.h - how many workers a pool needs, from what was seen of its demand.
 *
 * Decides, and does nothing, as policy.h: looks and the time come as arguments.
 *
 * Demand is what is at work and what waits in the queue, counted in workers.
 * It is answered at once: whoever waits needs a worker now.  It is given up
 * slowly: only when fewer were enough at every look of a quiet time, and then
 * one by one.  Nobody asks how long a single worker has been idle: accept(2)
 * wakes them in turn, so under a light load each of many has just been at work
 * and none is ever idle for long.  What counts is how many were at work at the
 * same time, at most.
 */
#ifndef SUPERVISOR_POOL_SCALE_H
#define SUPERVISOR_POOL_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/conf/conf.h"

/* A pool's generation that serves, at one moment.  -1: it is not known. */
struct scale_look {
	int64_t now;
	long long workers;   /* that are there to stay, ready or not */
	long long ready;     /* of those */
	long long leaving;   /* processes beside them that have not ended yet */
	long long busy;      /* threads at work, of all who are ready */
	long long threads;   /* that a worker has; at least 1 */
	long long queue;     /* connections that wait to be accepted */
	bool unseen;         /* what a worker does cannot be seen */
	bool failing;        /* a worker crashes, and was not forgiven yet */
	bool active;         /* something was done since the last look */
	long long memory;    /* bytes that those measured take together */
	long long measured;  /* how many these are */
	long long available; /* bytes that the machine has left */
};

#define SCALE_PIECES 17 /* sixteen that have passed, and the present one */

/* What was seen so far; all 0 at first. */
struct scale_history {
	int64_t since, last; /* the first look that counts; the last one */
	int64_t piece_since;
	long long peak[SCALE_PIECES]; /* the highest demand in each part of the quiet time */
	unsigned piece;               /* the present one */
	long long demand;             /* in workers, at the last look */
	unsigned waited;   /* so many looks in a row somebody was in the queue of ready workers */
	int64_t active_at; /* when it last had something to do */
	int64_t down_at;   /* when the last one was sent away */
};

enum scale_why {
	SCALE_ENOUGH, /* nothing is to be done */
	SCALE_LIMITS, /* min or max are others now */
	SCALE_CLIENT, /* somebody has come, and there is no worker */
	SCALE_DEMAND, /* more are needed */
	SCALE_QUIET,  /* fewer were enough for long */
	SCALE_IDLE,   /* nothing was to be done for long */
	/* More would be needed, or fewer enough; but: */
	SCALE_AT_MAX,
	SCALE_MEMORY,
	SCALE_FAILING,
	SCALE_UNSEEN,
	SCALE_WHYS
};
extern const char *const scale_why_names[]; /* in enum order, NULL-terminated */

struct scale_advice {
	long long workers; /* that there should be now */
	long long wanted;  /* that the demand would have, were there no limit */
	enum scale_why why;
};

/* Takes note of a look.  One that comes late begins anew: what was between is not known. */
void scale_see(struct scale_history *, const struct scale_conf *, const struct scale_look *);

/* What follows from the look that was seen last. */
struct scale_advice scale_decide(
    const struct scale_history *, const struct scale_conf *, const struct scale_look *);

/* One has been sent away: the next has time. */
void scale_has_shrunk(struct scale_history *, int64_t now);

/* So many workers, where the limits allow no less or no more. */
long long scale_within(const struct scale_conf *, long long workers);

#endif
