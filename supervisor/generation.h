/* generation.h - the socket of a pool's generation: opened, made public, given up. */
#ifndef SUPERVISOR_GENERATION_H
#define SUPERVISOR_GENERATION_H

#include "supervisor/pool.h"

/*
 * Opens the sockets of all pools and makes them public, so that clients can
 * queue before the workers are there.  Either all or none: false, and *WRONG
 * is a sentence in the arena.
 */
bool generation_listen_all(struct arena *, struct pools *, const char **wrong) MUST_CHECK;

/* Gives up all sockets; deletes those names that are still ours. */
void generation_close_all(struct pools *);

#endif
