/* rehearsal.c - will a worker be able to confine itself, and still to run? */
#include "supervisor/system/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/system/confinement.h"
#include "supervisor/system/errand.h"
#include "supervisor/system/identity.h"

/* Which settings can be in the way; the child writes the letter first. */
static const struct {
	char letter;
	const char *setting;
} blames[] = {
	{ 'l', "limits" },
	{ 'n', "nice" },
	{ 'c', "cpus" },
	{ 'b', "capabilities" },
	{ 'r', "readable" },
	{ 'w', "landlock" },
	{ 'u', "user" },
};

/* With the limits one by one, to name the one that is refused. */
static bool try_limits(const struct confinement *confinement, int out)
{
	for (size_t i = 0; i < confinement->limits; i++) {
		const struct limit *limit = &confinement->limit[i];
		const char *name = limit_name(limit->resource);
		struct rlimit now;

		if (limit_set(limit))
			continue;
		if (errno == EPERM && getrlimit((__rlimit_resource_t)limit->resource, &now) == 0)
			dprintf(out, "llimits: %s cannot be raised over %llu, our own hard limit",
			    name, (unsigned long long)now.rlim_max);
		else
			dprintf(out, "llimits: cannot set %s: %s", name, strerror(errno));
		return false;
	}
	return true;
}

static bool try_processors(const struct confinement *confinement, int out)
{
	int missing;

	if (confinement->processors == NULL)
		return true;
	if (!confinement_choose_processors(confinement)) {
		dprintf(out, "ccpus: none of these processors is to be had here");
		return false;
	}
	missing = processors_missing(confinement->processors);
	if (missing >= 0)
		dprintf(out, "ccpus: processor %d is not to be had here", missing);
	return missing < 0;
}

/* All that needs root's rights. */
static bool try_as_master(const struct rehearsal *rehearsal, int out, int *ruleset)
{
	const struct confinement *confinement = rehearsal->confinement;
	const char *at;

	if (!confinement_open_files(confinement, ruleset, &at)) {
		if (at == NULL)
			dprintf(out,
			    "wlandlock: this kernel has no Landlock (%s), which readable and "
			    "writable need; landlock = \"best_effort\" goes on without",
			    strerror(errno));
		else
			dprintf(out, "rcannot open %s: %s", at, strerror(errno));
		return false;
	}
	if (!try_limits(confinement, out))
		return false;
	if (!confinement_set_niceness(confinement)) {
		dprintf(out, "nnice: %d: %s; only root can make it less", confinement->nice,
		    strerror(errno));
		return false;
	}
	if (!try_processors(confinement, out))
		return false;
	if (!confinement_bound_capabilities(confinement)) {
		dprintf(out, "bcapabilities: cannot be limited: %s; only root can do that",
		    strerror(errno));
		return false;
	}
	return true;
}

/*
 * access(2) asks no ruleset; open(2) does, and reading is allowed along with executing.  Whether
 * it fails for another reason, as a limit of descriptors that is very low, is not asked here.
 */
static bool is_out_of_reach(const char *program)
{
	int fd;

	if (access(program, R_OK) < 0)
		return false;
	fd = open(program, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EACCES;
}

static void rehearse(const void *owner, int out)
{
	const struct rehearsal *rehearsal = owner;
	const struct confinement *confinement = rehearsal->confinement;
	int ruleset;

	if (!try_as_master(rehearsal, out, &ruleset))
		return;
	if (!identity_take_on(rehearsal->who))
		dprintf(out, "ucannot become user %s: %s", rehearsal->who->user, strerror(errno));
	else if (!confinement_lower_capabilities(confinement))
		dprintf(out, "bcapabilities: cannot be given up: %s", strerror(errno));
	else if (!confinement_refuse_privileges(confinement) || !confinement_limit_files(ruleset))
		dprintf(out, "rfiles cannot be limited: %s", strerror(errno));
	else if (is_out_of_reach(rehearsal->program))
		dprintf(out, "rreadable does not have %s in it, the pool's own program",
		    rehearsal->program);
}

static bool is_plain(const struct confinement *confinement)
{
	return confinement->limits == 0 && confinement->nice == 0 &&
	       confinement->processors == NULL && !confinement->bounded &&
	       !confinement->files_limited;
}

const char *rehearsal_hold(
    const struct rehearsal *rehearsal, char text[static REHEARSAL_TEXT], const char **setting)
{
	*setting = "user";
	if (is_plain(rehearsal->confinement))
		return NULL;
	if (!errand_run(rehearse, rehearsal, text, REHEARSAL_TEXT))
		return strerror(errno);
	for (size_t i = 0; i < COUNT(blames); i++)
		if (blames[i].letter == text[0])
			*setting = blames[i].setting;
	return text[0] != '\0' ? text + 1 : NULL;
}
