/* tail.c - the last words of a worker, from its output file. */
#include "supervisor/tail.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/pool.h"

#define BYTES 2048
#define LINES 5

/* Reads the end of the file, but nothing from before FROM.  Returns the length, 0 for nothing. */
static size_t read_end(const char *path, off_t from, char text[static BYTES + 1])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat about;
	ssize_t got = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
		if (about.st_size - from > BYTES)
			from = about.st_size - BYTES;
		got = pread(fd, text, BYTES, from);
	}
	close(fd);
	return got > 0 ? (size_t)got : 0;
}

/* Where the last LINES lines of the text begin. */
static char *last_lines(char *text, size_t length)
{
	char *start = text + length;
	int lines = 0;

	while (start > text && lines <= LINES)
		if (*--start == '\n' && start[1] != '\0')
			lines++;
	return *start == '\n' ? start + 1 : start;
}

void tail_tell(const struct worker *worker)
{
	const char *path = worker_conf(worker)->output;
	char text[BYTES + 1];
	char *rest;
	size_t length;

	if (path == NULL)
		return;
	length = read_end(path, worker->output_from, text);
	text[length] = '\0';
	if (length == 0)
		return;
	rest = last_lines(text, length);
	for (char *line = strtok_r(rest, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		log_warn("%s: | %s", worker->name, line);
}
