/*
 * landlock.h - which files a process may see and change, whoever it is: landlock(7).
 *
 * A ruleset is a descriptor that is made beforehand, by somebody who can name
 * the path at fault; the process that is to be limited enters it.
 */
#ifndef SUPERVISOR_SYSTEM_LANDLOCK_H
#define SUPERVISOR_SYSTEM_LANDLOCK_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/settings.h"

/* What a process may do, in files and in all below folders. */
struct landlock_paths {
	const struct words *readable; /* read and execute */
	const struct words *writable; /* read and change, not execute */
};

/* Which version of the interface this kernel has; 0: none, or it is switched off. */
int landlock_version(void);

/*
 * Makes a ruleset in which nothing is allowed but PATHS, and the devices that
 * every program expects (null, zero, full, random, urandom).  A path that is
 * not there allows nothing.  Calls nothing that is not async-signal-safe.
 * Returns a descriptor that is closed on exec; -1 with errno set, and in *AT
 * the path at fault, or NULL.
 */
int landlock_open(const struct landlock_paths *, const char **at) MUST_CHECK;

/*
 * Limits the calling thread, and what it becomes, for good.  It must have
 * no_new_privs.  Async-signal-safe; false with errno set.
 */
bool landlock_enter(int ruleset) MUST_CHECK;

#endif
