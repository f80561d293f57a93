/* sink.h - where a batch goes: the database, one transaction each; private to core/events. */
#ifndef CORE_EVENTS_SINK_H
#define CORE_EVENTS_SINK_H

#include "core/events/batch.h"

struct sink {
	const struct consume_options *options;
	struct connection *connection;
	struct pipeline pipeline; /* of the batch that was sent */
	struct statement apply;   /* the first of it, if anything is to be applied */
	bool sent;                /* a batch is on its way */
	long long wait_ms;        /* before the next try after a failure */
	bool (*pause)(void *context, long long ms); /* false: we are to stop, do not try again */
	void *context;
};

void sink_close(struct sink *);

/* Begins to apply a batch.  A failure shows in sink_finish. */
void sink_send(struct sink *, struct batch *);

/*
 * Sees the batch through, however often it has to be tried and however it has to
 * be taken apart.  True: all of it is committed, *FRESH of its events were new.
 * False: we are to stop, and it is not.
 */
bool sink_finish(struct sink *, struct batch *, long long *fresh) MUST_CHECK;

/* Runs a statement of the consumer's own, if that is to be had.  Nothing is on its way. */
void sink_note(struct sink *, const struct statement *);

#endif
