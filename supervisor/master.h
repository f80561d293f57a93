/* master.h - the process that keeps all workers alive: its one loop. */
#ifndef SUPERVISOR_MASTER_H
#define SUPERVISOR_MASTER_H

#include "supervisor/conf/conf.h"

/*
 * Starts the pools of a checked configuration, which it takes over, and stays
 * until all have been stopped.  FILE is where a reload finds the next one.  Returns the exit
 * status: 0, or 1 when nothing could be started.
 */
int master_run(const struct conf *, const char *file);

#endif
