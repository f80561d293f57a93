/*
 * signal_fd.h - signals as data: blocked for good, read from a descriptor.
 *
 * So no signal interrupts a call of a program that waits for others: EINTR would
 * truncate what libfcgi reads and writes, and a handler's work.  signalfd(2).
 */
#ifndef BASE_SIGNAL_FD_H
#define BASE_SIGNAL_FD_H

/*
 * Blocks all signals in this thread and in those that it starts from now on, and
 * returns a descriptor, non-blocking and closed by exec, that tells of the HEARD
 * ones; these end with 0.  SIGSYS stays as it is: it tells a thread of a call that
 * was refused to it (seccomp(2)), and blocked it would kill.  Dies without a
 * descriptor.
 */
int signal_fd_open(const int *heard);

#endif
