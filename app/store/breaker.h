/*
 * breaker.h - whether a server that failed is worth asking again yet.
 *
 * After a failure everyone is refused at once; when the time has come one
 * caller at a time may try, and its success lets everyone back in.  Called with
 * the lock of the pool that it belongs to held.
 */
#ifndef STORE_BREAKER_H
#define STORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker {
	const char *name; /* of the server, for the log */
	long long retry_ms;
	bool down;         /* the server did not answer when last asked */
	bool probing;      /* one caller is asking again */
	int64_t no_before; /* clock_now: nobody asks until then */
};

/* Whether this caller may talk to the server.  It then owes one of the calls below. */
bool breaker_admits(struct breaker *);

void breaker_succeeded(struct breaker *);
void breaker_failed(struct breaker *);
void breaker_undecided(struct breaker *); /* the caller never came to ask */

#endif
