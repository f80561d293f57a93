/*
 * signals.h - signals as data: blocked for good, read from a descriptor.
 *
 * Nothing is ever done inside a signal handler: there is none.  signalfd(2).
 */
#ifndef SUPERVISOR_SYSTEM_SIGNALS_H
#define SUPERVISOR_SYSTEM_SIGNALS_H

#include "supervisor/system/loop.h"

struct signals;

/*
 * Blocks all signals but those of our own faults, and has HEAR called with
 * each that means something to us: CHLD, TERM, INT, QUIT, HUP.  The others are
 * thereby ignored.  NULL with errno set.
 */
struct signals *signals_open(
    struct arena *, struct loop *, void (*hear)(void *owner, int signal), void *owner) MUST_CHECK;

/* They stay blocked. */
void signals_close(struct signals **);

#endif
