/*
 * spool.h - where messages wait on this machine's disk while the broker is away.
 *
 * A broker that does not answer must not make its publishers fail: what it did not
 * take is written to files here, and is as durable as if it had.  When the broker
 * is back, the spool is drained into it, in its order.
 *
 * All processes of a machine that publish to one stream share one spool, a folder.
 * So there is one order over all of them, which is what keeps that of a key: as
 * long as anything waits, whatever comes next has to wait behind it, in whichever process
 * it comes.  One process at a time drains; another takes over when it dies.
 *
 * What is kept here twice or sent twice is seen twice, as with the broker itself
 * (broker.h); what was acknowledged is never lost.
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include "store/broker.h"

struct spool;

struct spool_options {
	const char *folder;     /* is made when missing, below one that is there */
	long long bytes_most;   /* that wait; more are refused */
	long long segment_most; /* bytes of a file, about; 0: a usual size */
	long long retry_ms;     /* while the broker is away it is asked again then */
};

/* NULL: *WRONG says in the arena why it cannot be. */
struct spool *spool_open(
    const struct spool_options *, struct arena *, const char **wrong) MUST_CHECK;
void spool_close(struct spool **);

/* Whether nothing waits, in any process: whoever publishes then need not wait behind it. */
bool spool_is_empty(const struct spool *);

/* Bytes that wait. */
long long spool_waiting(const struct spool *);

enum spool_fate {
	SPOOL_KEPT,   /* all of them are on the disk */
	SPOOL_PASSED, /* none: there is nothing any more that they would have to wait behind */
	SPOOL_FULL    /* none: there is no room, or the disk failed; the log says which */
};

/*
 * Keeps all COUNT messages, or none.  Those that MAY_PASS came because others wait
 * and may be published when that has ended meanwhile; those that may not came
 * because the broker did not take them.  For any number of threads: those that come
 * at the same time share one write and one fsync.
 */
enum spool_fate spool_keep(struct spool *, struct arena *, const struct broker_message *,
    size_t count, bool may_pass) MUST_CHECK;

/*
 * From now on a thread of this process drains the spool into BROKER whenever it is
 * the first of all processes to try.  Ends with spool_close.
 */
void spool_drain_into(struct spool *, struct broker *);

#endif
