/*
 * foreign.h - what a worker that says nothing of itself is doing, as far as /proc shows.
 *
 * It is looked at from outside, now and then, and much may happen between two
 * looks.  What it is at for too long must surely be one request: the connection
 * is the same, it was never seen idle, and nothing tells that one request may
 * have ended and another begun.  What tells that depends on the program:
 *
 *   a TCP connection     the kernel counts what it has received and sent
 *   read(2) on a unix    /proc counts calls of read and write of the process
 *   recv(2) on a unix    nothing counts those; but who waits for a next request
 *                        gives up the processor, and that is counted
 *
 * Where no request could have ended unseen, it is the same.  Otherwise a new one
 * is taken to begin with this look, for a stuck worker may be found late or never,
 * and one that works must not be stopped.
 */
#ifndef SUPERVISOR_POOL_FOREIGN_H
#define SUPERVISOR_POOL_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct worker;

/* A request that a worker was seen at, known by its connection, with the counts of that look. */
struct sighting {
	uint64_t connection; /* inode of the socket; 0: it is at none */
	int fd;              /* of the worker, for that */
	bool alone;          /* it has no other client */
	int64_t since;       /* clock_now when it was first seen at it */
	bool counted;        /* the connection has counts of its own: */
	uint64_t received, sent;
	uint64_t reads, writes; /* calls of the process */
	uint64_t switches;
};

/* Looks, and fills in busy, idle and since of worker->sight. */
void foreign_look(struct worker *, int64_t now);

/*
 * Adds how often the threads of a process have given up the processor, to wait
 * for something.  Who waits in accept(2) does so after each client.  False: it
 * cannot be seen.
 */
bool foreign_count_switches(pid_t, uint64_t *switches);

#endif
