/*
 * settings_include.c - which @include libconfig 1.5 stumbled over.
 *
 * It ends the whole process on a folder and waits for ever on a pipe, without a
 * word of either; of a file that includes itself it says that a name is given
 * twice.  Then the files are gone through once more, from outside.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/settings_walk.h"

/* The name between the quotes of "@include "NAME"", put into LINE; or NULL. */
static char *included(char *line)
{
	static const char word[] = "@include";
	char *p = line + strspn(line, " \t"), *end;

	if (strncmp(p, word, sizeof(word) - 1) != 0)
		return NULL;
	p += sizeof(word) - 1;
	p += strspn(p, " \t");
	end = *p == '"' ? strchr(p + 1, '"') : NULL;
	if (end == NULL)
		return NULL;
	*end = '\0';
	return p + 1;
}

/* The files on the way from the first one to the one that is looked through. */
struct way {
	dev_t device;
	ino_t inode;
	const struct way *from;
};

static const char *trouble_with(const struct stat *about, const struct way *way)
{
	if (S_ISDIR(about->st_mode))
		return "is a folder; name a file, each with a line of its own";
	if (!S_ISREG(about->st_mode))
		return "is no regular file";
	for (; way != NULL; way = way->from)
		if (way->device == about->st_dev && way->inode == about->st_ino)
			return "is included by itself";
	return NULL;
}

static bool find_in(struct complaints *complaints, const char *file, const struct way *from)
{
	FILE *stream = fopen(file, "re");
	struct stat about;
	struct way way = { .from = from };
	char line[4096];
	bool found = false;

	if (stream != NULL && fstat(fileno(stream), &about) == 0) {
		way.device = about.st_dev;
		way.inode = about.st_ino;
	}
	for (unsigned number = 1;
	     stream != NULL && !found && fgets(line, sizeof(line), stream) != NULL; number++) {
		const char *name = included(line), *path, *trouble;

		path = name != NULL ? settings_file(complaints, name) : NULL;
		if (path == NULL || stat(path, &about) < 0)
			continue;
		trouble = trouble_with(&about, &way);
		if (trouble != NULL)
			settings_complain_at(complaints, file, number, "@include \"%s\": %s %s",
			    name, path, trouble);
		found = trouble != NULL || find_in(complaints, path, &way);
	}
	if (stream != NULL)
		fclose(stream);
	return found;
}

bool settings_blame_include(struct complaints *complaints)
{
	return find_in(complaints, complaints->file, NULL);
}
