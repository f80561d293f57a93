/* burial.h - the death of processes: reaped, explained, and what follows from it. */
#ifndef SUPERVISOR_PROCESS_BURIAL_H
#define SUPERVISOR_PROCESS_BURIAL_H

#include "supervisor/process/spawn.h"

/*
 * Reaps every child that has ended: workers, probes, and strangers that a dead
 * worker left to us.  SIGCHLD says only that there is at least one.
 */
void bury_the_dead(struct pools *, struct spawner *);

#endif
