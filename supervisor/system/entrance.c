/* entrance.c - may a user enter a folder and run a program? */
#include "supervisor/system/entrance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/system/identity.h"

struct trial {
	const struct identity *who;
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

static void try(const struct trial *trial, const char *directory, const char *program)
{
	if (!identity_take_on(trial->who))
		dprintf(trial->out, "cannot become user %s: %s", trial->who->user, strerror(errno));
	else if (directory != NULL && chdir(directory) < 0)
		blame(trial, "enter", directory);
	else if (access(program, X_OK) < 0)
		blame(trial, "execute", program);
}

static size_t read_all(int fd, char *text, size_t room)
{
	size_t length = 0;
	ssize_t got;

	while ((got = read(fd, text + length, room - length)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	return length;
}

const char *entrance_check(const struct identity *who, const char *directory, const char *program,
    char text[static ENTRANCE_TEXT])
{
	struct trial trial = { .who = who };
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return strerror(errno);
	trial.out = ends[1];
	child = fork();
	if (child == 0) {
		try(&trial, directory, program);
		_exit(0);
	}
	close(ends[1]);
	text[read_all(ends[0], text, ENTRANCE_TEXT - 1)] = '\0';
	close(ends[0]);
	if (child < 0)
		return strerror(EAGAIN);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	return text[0] != '\0' ? text : NULL;
}
