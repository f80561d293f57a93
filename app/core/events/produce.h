/* produce.h - events that were made up, published at a pace. */
#ifndef CORE_EVENTS_PRODUCE_H
#define CORE_EVENTS_PRODUCE_H

#include "core/events/publish.h"

#define PRODUCE_BATCH_MOST 1000

struct produce_options {
	const struct event_kind *kind;
	double rate;             /* events a second; 0: as many as go */
	long long count;         /* ends after so many; 0: when told to */
	long long batch;         /* at most so many are published at once */
	unsigned long long seed; /* the same events come of the same */
	long long retry_ms;      /* after a failure: the first wait, and up to 64 times as long */
	bool shows_progress;     /* on standard error, a line that is written over */
};

/*
 * Publishes until COUNT events are taken or SIGINT or SIGTERM comes, and prints what
 * that came to.
 * True: all events that were made were taken.
 */
bool produce_run(const struct outlets *, const struct produce_options *) MUST_CHECK;

/* Blocks what produce_run waits for: threads that are made later leave it to that. */
void produce_block_signals(void);

#endif
