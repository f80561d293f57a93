/*
 * waiting.h - waiting for something, with a deadline that no clock change moves.
 *
 * POSIX condition variables measure by the wall clock unless told otherwise at
 * their birth; a pool whose callers wait by it would let them go early, or never,
 * whenever somebody sets the time.  Deadlines are clock_now's, as everywhere.
 */
#ifndef BASE_WAITING_H
#define BASE_WAITING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A lock, and what those who hold it can wait for. */
struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

void waiting_init(struct waiting *);
void waiting_destroy(struct waiting *);

/* Waits, its lock held, until somebody signals "changed" or DEADLINE passes: false then. */
bool waiting_until(struct waiting *, int64_t deadline);

/* Waits for EVENTS (poll(2)) on FD.  False at the deadline. */
bool waiting_for_fd(int fd, short events, int64_t deadline);

#endif
