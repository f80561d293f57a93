/*
 * consume.h - a process that applies events: what it is given, and how it goes about it.
 *
 * One thread reads a batch, checks it, and sends it to the database as one
 * statement; while that works on it, the thread reads and checks the next one.  A
 * batch is acknowledged when its transaction is committed: whatever dies when, each event
 * is applied at least once, and the statement sees to it that it is at most once.
 */
#ifndef CORE_EVENTS_CONSUME_H
#define CORE_EVENTS_CONSUME_H

#include "core/events/publish.h"

struct consume_options {
	const struct event_kind *kind;
	const char *conninfo, *application;
	const char *member; /* who we are, unlike any other: host:pid */
	const char *group;  /* the consumers that share the events */
	long long batch_most;
	long long linger_ms;  /* a batch that is not full is sent when it is so old */
	long long lease_ms;   /* whoever is not heard of for so long loses its partitions */
	long long keep_ms;    /* the broker keeps so long what is applied */
	long long timeout_ms; /* of a statement */
	long long retry_ms;   /* after a failure: the first wait, and eight times as long at most */
	long long deliveries_most; /* handed out more often than that: a dead letter */
	int shard;
	bool once;         /* leave when nothing is left to read */
	long long from_ms; /* of a group that is new: where it begins; 0: at the first */
	void (*ready)(void), (*stopping)(void);
};

/* Returns when told to stop (SIGTERM), or, once, when nothing is left.  False: it failed. */
bool consume_run(struct application *, const struct consume_options *);

#endif
