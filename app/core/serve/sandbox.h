/*
 * sandbox.h - the system calls that a web worker needs, and no others: seccomp(2).
 *
 * Entered when the worker has everything that is loaded or made once, and binds
 * all of its threads.  What it needs later stays possible: connections to
 * PostgreSQL, Redis and object stores that must be opened anew, files that are
 * uploaded, more memory, more threads.  What it never does is not: executing
 * programs, making processes, new executable code, tracing, mounting, changing
 * who it is.  Such a call fails with EPERM and is written to standard error by name.
 * Only a thread that has SIGSYS blocked cannot be told; its process ends by that signal.
 */
#ifndef CORE_SERVE_SANDBOX_H
#define CORE_SERVE_SANDBOX_H

#include "base/attributes.h"

#include <stdbool.h>

/*
 * What the supervisor asks for: the value of OSTLER_SANDBOX, "web"; NULL: nothing.
 * A value that is not known ends the process, for it would run without.
 */
const char *sandbox_wanted(void) MUST_CHECK;

/* For all threads, for good.  Ends the process when that cannot be done. */
void sandbox_enter(void);

#endif
