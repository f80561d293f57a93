/*
 * waiting.h - whether a process waits for its clients: the system calls that its threads are in.
 *
 * /proc/PID/task/TID/syscall tells the call and its arguments, proc(5).  A call
 * that takes many descriptors names them in the memory of the process, or in an
 * epoll instance; there the kernel is asked, too.
 */
#ifndef SUPERVISOR_SYSTEM_WAITING_H
#define SUPERVISOR_SYSTEM_WAITING_H

#include <sys/types.h>

#include "supervisor/system/clients.h"

enum waiting {
	WAITING_NOT,     /* every thread is at something else */
	WAITING_ACCEPT,  /* for a next client, on descriptor 0 */
	WAITING_READ,    /* for one of the clients, in read(2) */
	WAITING_ANYHOW,  /* the same in another call, after which recv(2) may follow */
	WAITING_UNKNOWN, /* the kernel does not show it, or it is in io_uring(7), which shows
			    nothing */
};

/* Whether the first thread of PID waits in accept, which is all that most programs have. */
enum waiting waiting_to_accept(pid_t);

/* One thread that waits is enough: who comes next will be served. */
enum waiting waiting_for_client(pid_t, const struct clients *);

#endif
