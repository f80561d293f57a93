/*
 * idle.h - asks a worker to end in a moment when it has nothing in hand.
 *
 * A signal interrupts what a program reads or writes.  Most FastCGI programs
 * take that for the end of the request, and answer to half of it.  So a worker
 * is asked only when no signal can do harm: when it keeps the signal blocked
 * and will read it when it likes, or when it is stopped and seen to be waiting
 * in accept(2).
 */
#ifndef SUPERVISOR_PROCESS_IDLE_H
#define SUPERVISOR_PROCESS_IDLE_H

#include <stdbool.h>
#include <sys/types.h>

enum idle { IDLE_NOT, IDLE_ASKED, IDLE_UNKNOWN };

/*
 * Sends SIGNAL to PID if that can do no harm now.  UNKNOWN: the kernel does not
 * let us see.  Blocks for a few milliseconds at most.
 */
enum idle idle_ask(pid_t pid, int signal);

/* A process that has stopped for us when nobody waits for that any more goes on.  False: it has
 * not. */
bool idle_let_go(pid_t pid);

#endif
