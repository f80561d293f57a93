/* proc.c - a file of /proc, read whole. */
#include "supervisor/system/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool proc_read(pid_t pid, const char *file, char *text, size_t room)
{
	char path[300];
	ssize_t got;
	int fd, error;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, room - 1);
	error = errno;
	close(fd);
	errno = error;
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}
