/* master.h - the process that keeps all workers alive: its one loop. */
#ifndef SUPERVISOR_MASTER_H
#define SUPERVISOR_MASTER_H

#include "supervisor/conf/conf.h"

/*
 * Starts the pools of a checked configuration, which it takes over, and stays
 * until all have been stopped.  FILE is where a reload finds the next one, PROGRAM
 * what an upgrade executes.  Returns
 * the exit status.  When nothing could be started that is 2 if a file or a socket
 * that the configuration names cannot be had, and 1 if the system refuses.
 */
int master_run(const struct conf *, const char *program, const char *file);

/*
 * As the ostlerd that an upgrade executes: takes over, in the same process, what the one
 * before has written to the sealed memory file FD, and stays as above.  Or looks whether
 * it could, in a child, does nothing else, and exits.
 */
int master_take_over(int fd, const char *program, const char *file);
int master_check(int fd, const char *program, const char *file) NO_RETURN;

#endif
