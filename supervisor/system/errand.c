/* errand.c - something done in a child of its own, which is known by the text it writes. */
#include "supervisor/system/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

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

bool errand_run(void (*run)(const void *owner, int out), const void *owner, char *text, size_t room)
{
	int ends[2];
	int error;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	child = fork();
	if (child == 0) {
		run(owner, ends[1]);
		_exit(0);
	}
	error = errno;
	close(ends[1]);
	text[read_all(ends[0], text, room - 1)] = '\0';
	close(ends[0]);
	if (child < 0) {
		errno = error;
		return false;
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	return true;
}
