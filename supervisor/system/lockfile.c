/* lockfile.c - a file that one process at a time can hold. */
#include "supervisor/system/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/system/descriptor.h"

static bool still_there(const char *path, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

int lockfile_take(const char *path, mode_t mode)
{
	for (;;) {
		int fd = descriptor_raise(
		    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode));

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			int error = errno;

			close(fd);
			errno = error;
			return -1;
		}
		/* The holder before us may have deleted it between our open and our flock. */
		if (still_there(path, fd))
			return fd;
		close(fd);
	}
}

bool lockfile_write(int fd, const char *text)
{
	size_t length = strlen(text);

	return ftruncate(fd, 0) == 0 && pwrite(fd, text, length, 0) == (ssize_t)length;
}

void lockfile_drop(const char *path, int *fd)
{
	if (*fd < 0)
		return;
	if (still_there(path, *fd))
		unlink(path);
	close(*fd);
	*fd = -1;
}
