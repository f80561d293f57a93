/* call.h - the system call that a thread is in, and its name. */
#ifndef SUPERVISOR_SYSTEM_CALL_H
#define SUPERVISOR_SYSTEM_CALL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attributes.h"

#define CALL_ARGUMENTS 3
#define CALL_NAME      40

struct call {
	long number; /* -1: it is in none, but runs */
	unsigned long argument[CALL_ARGUMENTS];
};

/*
 * Reads FILE below /proc/PID, "syscall" or "task/TID/syscall", proc(5).  False:
 * *REFUSED says whether we may not see, or the thread has ended.
 */
bool call_read(pid_t, const char *file, struct call *, bool *refused) MUST_CHECK;

/* "clock_nanosleep"; or "call 1234", which the library does not know. */
const char *call_name(long number, char name[static CALL_NAME]);

#endif
