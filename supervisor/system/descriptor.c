/* descriptor.c - where the master keeps its descriptors: all from 10 up. */
#include "supervisor/system/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOWEST 10

int descriptor_raise(int low)
{
	int high, error;

	if (low < 0)
		return -1;
	high = fcntl(low, F_DUPFD_CLOEXEC, LOWEST);
	error = errno;
	close(low);
	errno = error;
	return high;
}

bool descriptor_listens(int fd)
{
	int on = 0;
	socklen_t size = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}
