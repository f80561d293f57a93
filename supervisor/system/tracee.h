/*
 * tracee.h - a thread of another process, stopped for a look and let go unharmed: ptrace(2).
 *
 * It is seized, not attached to: no signal is sent to it, and should the tracer
 * die at any moment the kernel lets the thread go on by itself, as long as nobody
 * asks for PTRACE_O_EXITKILL.
 *
 * To be stopped interrupts the system call that the thread is in.  The kernel
 * begins most calls again by itself; but epoll_wait(2), and receiving or sending
 * on a socket that has a timeout, would end with EINTR, as signal(7) lists, and a
 * program that does not expect that loses a request.  Such a call is made to
 * begin again, too, with its whole timeout.
 */
#ifndef SUPERVISOR_SYSTEM_TRACEE_H
#define SUPERVISOR_SYSTEM_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"

enum tracee_answer {
	TRACEE_STOPPED,
	TRACEE_GONE,    /* it has ended */
	TRACEE_REFUSED, /* errno says why; tracee_refusal() says it in words */
	TRACEE_BUSY,    /* it did not stop in time: the kernel does something for it and cannot be
			   interrupted; it will be let go when the tracer ends */
};

struct tracee {
	pid_t tid;
	int signal; /* that was on its way to the thread when it stopped, and is handed on; 0: none
		     */
};

/* Whether this machine is one on which a call that was interrupted can be begun again. */
bool tracee_can_mend(void);

/* Waits for the stop until DEADLINE (a clock_now).  Not for our own children: it may reap them. */
enum tracee_answer tracee_stop(pid_t tid, int64_t deadline, struct tracee *) MUST_CHECK;
void tracee_release(const struct tracee *);

/*
 * Has a call begin again that our stop has interrupted; nothing to a thread that is in
 * none, or in one that the kernel begins again.  Part of tracee_stop().
 */
void tracee_mend(pid_t tid);

/* Has the call that the thread is stopped at the entry of not be made: it returns EINTR. */
bool tracee_take_call(pid_t tid) MUST_CHECK;

#define TRACEE_TEXT 160

/* Why the kernel does not let us look at PID, which failed with ERROR: a sentence about it. */
const char *tracee_refusal(pid_t, int error, char text[static TRACEE_TEXT]);

#endif
