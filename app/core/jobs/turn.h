/* turn.h - what the runner says to the queue, one round trip each; private to core/jobs. */
#ifndef CORE_JOBS_TURN_H
#define CORE_JOBS_TURN_H

#include "core/jobs/pace.h"
#include "core/jobs/runner.h"

struct runner {
	struct application *app;
	const struct jobs_options *options;
	struct lanes *lanes;
	struct hand *hand;
	struct score *score;

	struct connection *connection;  /* NULL: none just now */
	struct arena *work;             /* of the job that runs */
	struct arena *claim, *next;     /* of the claim in hand, and of the one that comes */
	struct queue_outcome *outcomes; /* of the claim in hand, not written yet */
	size_t unsettled;
	int64_t unsettled_since;
	bool pressing;   /* one of them is to be there before another job begins */
	long long held;  /* the token of the claim in hand */
	long long token; /* of the last claim that was asked for */
	long long lost;  /* the token of a claim whose answer was lost; 0: none */
	size_t side;     /* which of the side questions is next */
	size_t asked;    /* main questions since the last side question */
	bool rest;       /* the database failed a job: claim no other at once */
};

/* Makes sure that there is a connection.  False: not now. */
bool turn_connect(struct runner *);

/* Settles, and claims.  How many jobs are in hand then; -1: it failed. */
int turn_ask(struct runner *);

/* Each returns false when it failed; what was to be settled then is still. */
bool turn_settle(struct runner *);

/* Settles, and counts the attempt that begins.  False: the job is not ours any more. */
bool turn_begin(struct runner *, struct queue_job *);

/* Gives back jobs that were not begun. */
void turn_release(struct runner *, const struct queue_job *, size_t count);

#endif
