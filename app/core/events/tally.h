/* tally.h - what a consumer counts, for ostlerctl(8), /metrics and the dashboard; private to
 * core/events. */
#ifndef CORE_EVENTS_TALLY_H
#define CORE_EVENTS_TALLY_H

#include "base/scoreboard.h"
#include "core/events/sink.h"

/* Upper ends, in ms, of the histogram of how long events took: from the broker to the commit. */
#define TALLY_BUCKETS 20

struct tally {
	struct score *score;
	const struct consume_options *options;
	int64_t due; /* clock_now: when it is written down */
	uint64_t took[TALLY_BUCKETS];
	bool unwritten; /* there is something in took */
	uint64_t told;  /* a hash of what was last said of partitions and their unread messages */
};

void tally_init(struct tally *, struct scoreboard *, const struct consume_options *);

/* BATCH is committed, FRESH of its events were new. */
void tally_add(struct tally *, const struct batch *, long long fresh);

/*
 * Once a second: how many messages are unread in each partition, and how long events took, into the
 * tables that the dashboard reads.
 */
void tally_write(struct tally *, struct sink *, struct broker_reader *);

#endif
