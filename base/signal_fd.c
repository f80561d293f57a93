/* signal_fd.c - signals as data: blocked for good, read from a descriptor. */
#include "base/signal_fd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/log.h"

int signal_fd_open(const int *heard)
{
	sigset_t all, some;
	int fd;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&some);
	for (; *heard != 0; heard++)
		sigaddset(&some, *heard);
	fd = signalfd(-1, &some, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd: %s", strerror(errno));
	return fd;
}
