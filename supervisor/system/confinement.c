/* confinement.c - what a process may not, beyond what its user may not. */
#include "supervisor/system/confinement.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "supervisor/system/capability.h"

bool confinement_set_limits(const struct confinement *confinement)
{
	for (size_t i = 0; i < confinement->limits; i++)
		if (!limit_set(&confinement->limit[i]))
			return false;
	return true;
}

/* -1 is a niceness as well as a failure: nice(2). */
bool confinement_set_niceness(const struct confinement *confinement)
{
	errno = 0;
	return confinement->nice == 0 || nice(confinement->nice) != -1 || errno == 0;
}

bool confinement_choose_processors(const struct confinement *confinement)
{
	return confinement->processors == NULL || processors_choose(confinement->processors);
}

bool confinement_bound_capabilities(const struct confinement *confinement)
{
	return !confinement->bounded || capability_bound(confinement->capabilities);
}

bool confinement_lower_capabilities(const struct confinement *confinement)
{
	return !confinement->bounded || capability_lower(confinement->capabilities);
}

bool confinement_refuse_privileges(const struct confinement *confinement)
{
	return !confinement->no_new_privileges || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool confinement_open_files(const struct confinement *confinement, int *ruleset, const char **at)
{
	*ruleset = -1;
	*at = NULL;
	if (!confinement->files_limited || (confinement->best_effort && landlock_version() == 0))
		return true;
	*ruleset = landlock_open(&confinement->files, at);
	return *ruleset >= 0;
}

bool confinement_limit_files(int ruleset)
{
	return ruleset < 0 || landlock_enter(ruleset);
}
