/* entrance.c - may a user enter a folder and run a program? */
#include "supervisor/system/entrance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/system/errand.h"
#include "supervisor/system/identity.h"

struct trial {
	const struct identity *who;
	const char *directory, *program;
	int out; /* where the child writes what is in the way */
};

static void report(const struct trial *trial, const char *cannot, const char *path, int error)
{
	struct stat about;

	if (stat(path, &about) == 0)
		dprintf(trial->out, "user %s cannot %s %s (mode %04o)", trial->who->user, cannot,
		    path, about.st_mode & 07777);
	else
		dprintf(trial->out, "user %s cannot %s %s: %s", trial->who->user, cannot, path,
		    strerror(error));
}

/* Names the first folder on the way to PATH that cannot be entered, or else PATH itself. */
static void blame(const struct trial *trial, const char *cannot, const char *path)
{
	int error = errno;
	char folder[4096] = "/";
	const char *slash = path;

	while (slash != NULL && access(folder, X_OK) == 0) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL && (size_t)(slash - path) < sizeof(folder)) {
			memcpy(folder, path, (size_t)(slash - path));
			folder[slash - path] = '\0';
		}
	}
	if (slash != NULL)
		report(trial, "enter", folder, error);
	else
		report(trial, cannot, path, error);
}

static void try(const void *owner, int out)
{
	struct trial trial = *(const struct trial *)owner;

	trial.out = out;
	if (!identity_take_on(trial.who))
		dprintf(out, "cannot become user %s: %s", trial.who->user, strerror(errno));
	else if (trial.directory != NULL && chdir(trial.directory) < 0)
		blame(&trial, "enter", trial.directory);
	else if (access(trial.program, X_OK) < 0)
		blame(&trial, "execute", trial.program);
}

const char *entrance_check(const struct identity *who, const char *directory, const char *program,
    char text[static ENTRANCE_TEXT])
{
	struct trial trial = { .who = who, .directory = directory, .program = program };

	if (!errand_run(try, &trial, text, ENTRANCE_TEXT))
		return strerror(errno);
	return text[0] != '\0' ? text : NULL;
}
