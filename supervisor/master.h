/* master.h - the process that keeps all workers alive: its one loop. */
#ifndef SUPERVISOR_MASTER_H
#define SUPERVISOR_MASTER_H

#include "supervisor/conf/conf.h"

/*
 * Starts the pools of a checked configuration, which it takes over, and stays
 * until all have been stopped.  FILE is where a reload finds the next one.  Returns
 * the exit status.  When nothing could be started that is 2 if a file or a socket
 * that the configuration names cannot be had, and 1 if the system refuses.
 */
int master_run(const struct conf *, const char *file);

#endif
