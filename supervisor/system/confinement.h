/*
 * confinement.h - what a process may not, beyond what its user may not.
 *
 * A worker takes these steps between fork and exec, those that need root before
 * its change of user and the others after it; and so does a rehearsal, so that
 * what cannot be done is heard of when the configuration is checked.
 */
#ifndef SUPERVISOR_SYSTEM_CONFINEMENT_H
#define SUPERVISOR_SYSTEM_CONFINEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/system/landlock.h"
#include "supervisor/system/limit.h"
#include "supervisor/system/processors.h"

struct confinement {
	const struct limit *limit;
	size_t limits;
	int nice;                    /* added to our own */
	const cpu_set_t *processors; /* NULL: our own */
	bool bounded;                /* to these: */
	uint64_t capabilities;       /* capability.h */
	bool no_new_privileges;
	bool files_limited; /* to these: */
	struct landlock_paths files;
	bool best_effort; /* a kernel without Landlock will do */
};

/* With root's rights.  Each is async-signal-safe, and false with errno set. */
bool confinement_set_limits(const struct confinement *) MUST_CHECK;
bool confinement_set_niceness(const struct confinement *) MUST_CHECK;
bool confinement_choose_processors(const struct confinement *) MUST_CHECK;
bool confinement_bound_capabilities(const struct confinement *) MUST_CHECK;

/* As its user.  The same holds for these. */
bool confinement_lower_capabilities(const struct confinement *) MUST_CHECK;
bool confinement_refuse_privileges(const struct confinement *) MUST_CHECK;
/* RULESET is of confinement_open_files. */
bool confinement_limit_files(int ruleset) MUST_CHECK;

/*
 * The ruleset for confinement_limit_files: to be made before anything is given
 * up, for it needs a descriptor.  False with errno set, and perhaps a path in *AT.
 */
bool confinement_open_files(const struct confinement *, int *ruleset, const char **at) MUST_CHECK;

#endif
