/*
 * drain.h - how a generation leaves without losing a request.
 *
 * First nobody new is sent to its socket: the public name belongs to the next
 * generation, or to nobody.  Its workers, which notice nothing, serve what had
 * queued there.  When the queue is seen to be empty, the socket is shut down:
 * workers that wait in accept(2) end, and busy ones do when they have finished.
 * No signal is sent; who does not end gets one when his time is up.
 */
#ifndef SUPERVISOR_POOL_DRAIN_H
#define SUPERVISOR_POOL_DRAIN_H

#include "supervisor/pool/pool.h"

/* The generation begins to leave. */
void drain_retire(struct generation *, int64_t now);

/*
 * Looks after all that leave: shuts what is empty, frees what has ended, and
 * retires what shall end with the master or was removed.  Returns when to look again.
 */
int64_t drain_tick(struct pools *, int64_t now);

#endif
