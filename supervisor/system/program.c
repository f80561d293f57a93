/* program.c - the file a command names. */
#include "supervisor/system/program.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"

#define ANY_MAY_EXECUTE (S_IXUSR | S_IXGRP | S_IXOTH)

/* Whether PATH is a program at all; whether a certain user may run it is asked elsewhere. */
static const char *inspect(struct arena *arena, const char *path)
{
	struct stat about;

	if (stat(path, &about) < 0)
		return errno == ENOENT ? arena_print(arena, "%s does not exist", path)
				       : arena_print(arena, "%s: %s", path, strerror(errno));
	if (!S_ISREG(about.st_mode))
		return arena_print(arena, "%s is not a file", path);
	if ((about.st_mode & ANY_MAY_EXECUTE) == 0)
		return arena_print(
		    arena, "%s is not executable (mode %04o)", path, about.st_mode & 07777);
	return NULL;
}

static const char *search_folders(struct arena *arena, const char *name, const char *search)
{
	while (*search != '\0') {
		size_t length = strcspn(search, ":");
		const char *path = arena_print(arena, "%.*s/%s", (int)length, search, name);

		if (path[0] == '/' && inspect(arena, path) == NULL)
			return path;
		search += length + (search[length] == ':');
	}
	return NULL;
}

const char *program_find(
    struct arena *arena, const char *name, const char *search, const char **wrong)
{
	const char *path = name;

	*wrong = NULL;
	if (strchr(name, '/') == NULL) {
		path = name[0] != '\0' ? search_folders(arena, name, search) : NULL;
		if (path == NULL)
			*wrong = arena_print(arena, "\"%s\" is not found in %s", name, search);
		return path;
	}
	if (name[0] != '/')
		*wrong = arena_print(arena, "\"%s\" must be an absolute path", name);
	else
		*wrong = inspect(arena, path);
	return *wrong == NULL ? path : NULL;
}

static const char *fill_in(struct arena *arena, const char *word, pid_t pid)
{
	struct buffer filled;

	buffer_start(&filled, arena, strlen(word) + 16);
	for (; *word != '\0'; word++) {
		if (word[0] == '%' && word[1] == 'p')
			buffer_add_integer(&filled, pid);
		else
			buffer_add_char(&filled, *word);
		word += word[0] == '%' && (word[1] == 'p' || word[1] == '%');
	}
	buffer_add_char(&filled, '\0');
	return filled.data;
}

const char *const *program_arguments(struct arena *arena, const char *const *words, pid_t pid)
{
	const char **argument;
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	argument = arena_alloc(arena, (count + 1) * sizeof(*argument));
	for (size_t i = 0; i < count; i++)
		argument[i] = fill_in(arena, words[i], pid);
	return argument;
}

static bool is_our_own(const char *path)
{
	struct stat ours, found;

	return stat("/proc/self/exe", &ours) == 0 && stat(path, &found) == 0 &&
	       ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
}

const char *program_own(struct arena *arena, const char *called)
{
	char folder[PATH_MAX], link[PATH_MAX];
	ssize_t length;

	if (called[0] != '/' && strchr(called, '/') != NULL &&
	    getcwd(folder, sizeof(folder)) != NULL)
		called = arena_print(arena, "%s/%s", folder, called);
	if (called[0] == '/' && is_our_own(called))
		return called;
	length = readlink("/proc/self/exe", link, sizeof(link));
	return length > 0 ? arena_copy(arena, link, (size_t)length) : called;
}

int program_signal(const char *name)
{
	if (text_starts(name, "SIG"))
		name += 3;
	for (int number = 1; number < SIGRTMIN; number++) {
		const char *known = sigabbrev_np(number);

		if (known != NULL && strcmp(known, name) == 0)
			return number;
	}
	return 0;
}
