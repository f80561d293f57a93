/*
 * follow.h - goes with a busy worker up to the moment when it would take its next request.
 *
 * While clients wait in a queue that others serve, too, whoever ends a request has
 * the next one at once, and idle.h would wait for ever.  Between the two there is
 * one call of accept(2).  The worker is followed from one system call to the next,
 * with ptrace(2); where it calls accept, that call is taken from it, so that it
 * has nothing in hand, and it is asked to end instead.
 */
#ifndef SUPERVISOR_PROCESS_FOLLOW_H
#define SUPERVISOR_PROCESS_FOLLOW_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Begins to.  False: not this process: it has several threads, or a filter of
 * system calls of its own, or the kernel does not let us.
 */
bool follow_begin(pid_t pid);

/*
 * The process has stopped, as SIGCHLD says: it goes on.  True: it is followed no
 * more, for it was about to take a request, and has been sent SIGNAL instead.
 */
bool follow_step(pid_t pid, int signal);

/* Lets it go wherever it is, so that others may trace it.  Blocks for a few milliseconds at most.
 */
void follow_end(pid_t pid);

#endif
