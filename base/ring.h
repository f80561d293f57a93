/*
 * ring.h - records that many processes write and one reads, in a file that they map.
 *
 * A writer never waits: it takes a place that is free, or the record is lost and
 * counted.  A place belongs to one process while it is written, which its number
 * says: what a process that was killed there has left is no record, and its
 * place is given back by the reader.  A record that was read stays until it is let go,
 * so that a reader who is killed loses none; the next one reads them again.
 *
 * Writers and the reader must see each other's process ids: one PID namespace.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

#define RING_RECORD 1024 /* bytes of a record, at most */

struct ring;

/*
 * Maps the file at PATH, made for PLACES records when it is missing or was made for another
 * number, which those who have it open go on with.  NULL, and errno, when the system refuses.
 */
struct ring *ring_open(const char *path, size_t places) MUST_CHECK;
void ring_close(struct ring **);

/* False: all places are taken, and the record is counted as lost. */
bool ring_put(struct ring *, const void *record, size_t length);

/* --- for the reader --- */

/* Whether we are the only reader, from now on; who is not asks again. */
bool ring_reads_alone(struct ring *);

/* Up to MOST records, not sorted, which stay where they are until they are let go. */
size_t ring_read(struct ring *, const void **records, size_t most);
void ring_let_go(struct ring *, const void *const *records, size_t count);

size_t ring_waiting(const struct ring *);

/* How many were lost since this was last asked. */
uint64_t ring_lost(struct ring *);

#endif
