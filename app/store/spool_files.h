/*
 * spool_files.h - what the files of the spool share; private to spool*.c.
 *
 * The folder holds segments, named by the position of their first byte, and "state",
 * which all processes have mapped.  A position counts all bytes ever written, so
 * that it grows and names a place in a segment at once.
 *
 * Whoever appends holds the state's lock, and first writes, then syncs, then moves
 * .written: bytes behind that are of somebody who died before the end, and were
 * acknowledged to nobody.  Whoever drains holds the lock of "drain".
 */
#ifndef STORE_SPOOL_FILES_H
#define STORE_SPOOL_FILES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/spool.h"

#define SPOOL_NONE UINT64_MAX /* in place of a segment: there is none */

struct spool_state {
	uint64_t magic;
	_Atomic uint64_t written; /* all before it is on the disk */
	_Atomic uint64_t drained; /* all before it is the broker's */
	_Atomic uint64_t segment; /* the one that is appended to, or SPOOL_NONE */
};

/* A thread that waits for its messages to be kept. */
struct keeping {
	char *record; /* its position is still to be filled in */
	size_t length;
	bool may_pass, decided;
	enum spool_fate fate;
	struct keeping *next;
};

struct spool {
	struct spool_options options;
	struct spool_state *state;
	int folder, state_fd, drain_fd;
	int segment_fd; /* of the segment below, to append to; -1: none is open */
	uint64_t segment;
	pthread_mutex_t in_process; /* with the state's lock: that one knows processes alone */
	pthread_mutex_t lock;       /* of what follows */
	pthread_cond_t decided;
	struct keeping *first, *last;
	bool leading; /* a thread writes for all others */
	bool complained;
	pthread_t drainer; /* when .broker is not NULL */
	struct broker *broker;
	atomic_bool ends;
};

/* --- records: spool_record.c --- */

/* Stands before the messages of one call. */
struct record_head {
	uint64_t position; /* of itself: bytes that are left over from before never pass for one */
	uint64_t check;    /* of all that follows */
	uint32_t length;   /* of all that follows the head */
	uint32_t count;    /* of messages */
};

/* A record without its position, in the arena. */
char *spooled_write(struct arena *, const struct broker_message *, size_t count, size_t *length);

/* Whether the LENGTH bytes at BYTES begin with a whole record of POSITION; its length then. */
size_t spooled_check(const char *bytes, size_t length, uint64_t position);

/* The messages of a checked record, which point into it, to MESSAGES; how many there are. */
size_t spooled_read(const char *record, struct broker_message *messages);

/* --- segments: spool_segment.c --- */

#define SEGMENT_NAME 32
void segment_name(char name[static SEGMENT_NAME], uint64_t start);

/* The start of the segment that begins at or behind POSITION; SPOOL_NONE: there is none. */
uint64_t segment_from(const struct spool *, uint64_t position);

/* The start of the segment that POSITION is in, or would be appended to. */
uint64_t segment_of(const struct spool *, uint64_t position);

/*
 * Some bytes from POSITION on, of that one segment, but none from END on.  -1: it cannot be read,
 * just now.
 */
ssize_t segment_read(
    const struct spool *, uint64_t position, uint64_t end, char *into, size_t room);

/* Makes a file, whose owner is the folder's also when root makes it.  -1, and errno: it cannot be.
 */
int spool_create(const struct spool *, const char *name, int flags);

void segment_drop(const struct spool *, uint64_t start);

/* Called with the state's lock: continues behind what is whole, after a crash. */
void segments_recover(struct spool *);

/* --- appending: spool_append.c --- */

void spool_lock(struct spool *); /* the state's, over all processes */
void spool_unlock(struct spool *);

/* --- draining: spool_drain.c --- */

void spool_stop_draining(struct spool *);

#endif
