/* signals.c - signals as data: blocked for good, read from a descriptor. */
#include "supervisor/system/signals.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "supervisor/system/descriptor.h"

struct signals {
	struct watch watch;
	struct loop *loop;
	void (*hear)(void *owner, int signal);
	void *owner;
};

static void signal_arrives(struct watch *watch, uint32_t events)
{
	struct signals *signals = watch->owner;
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		signals->hear(signals->owner, (int)info.ssi_signo);
}

/* A fault of our own must still end us: blocked, it would do so without a core, or spin. */
static void choose(sigset_t *blocked, sigset_t *heard)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	static const int ours[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2,
		SIGTTIN, SIGTTOU, SIGWINCH };

	sigfillset(blocked);
	for (size_t i = 0; i < COUNT(faults); i++)
		sigdelset(blocked, faults[i]);
	sigemptyset(heard);
	for (size_t i = 0; i < COUNT(ours); i++)
		sigaddset(heard, ours[i]);
}

struct signals *signals_open(
    struct arena *arena, struct loop *loop, void (*hear)(void *owner, int signal), void *owner)
{
	struct signals *signals = arena_alloc(arena, sizeof(*signals));
	sigset_t blocked, heard;
	int fd;

	choose(&blocked, &heard);
	if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
		return NULL;
	fd = descriptor_raise(signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK));
	*signals = (struct signals){ .loop = loop, .hear = hear, .owner = owner };
	signals->watch = (struct watch){ .fd = fd, .act = signal_arrives, .owner = signals };
	if (fd >= 0 && loop_add(loop, &signals->watch, EPOLLIN))
		return signals;
	if (fd >= 0)
		close(fd);
	return NULL;
}

void signals_close(struct signals **signals)
{
	if (*signals == NULL)
		return;
	loop_drop((*signals)->loop, &(*signals)->watch);
	close((*signals)->watch.fd);
	*signals = NULL;
}
