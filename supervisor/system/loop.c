/* loop.c - waits for many descriptors and one deadline: epoll(7). */
#include "supervisor/system/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/system/descriptor.h"

#define AT_ONCE    64
#define LONGEST_MS (60 * 60 * 1000)

struct loop {
	int fd;
	struct epoll_event events[AT_ONCE];
	int count;
};

struct loop *loop_open(struct arena *arena)
{
	struct loop *loop = arena_alloc(arena, sizeof(*loop));

	loop->fd = descriptor_raise(epoll_create1(EPOLL_CLOEXEC));
	return loop->fd >= 0 ? loop : NULL;
}

void loop_close(struct loop **loop)
{
	if (*loop == NULL)
		return;
	close((*loop)->fd);
	*loop = NULL;
}

bool loop_add(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(loop->fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void loop_change(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop->fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		bug("descriptor %d is not watched: %s", watch->fd, strerror(errno));
}

void loop_drop(struct loop *loop, struct watch *watch)
{
	epoll_ctl(loop->fd, EPOLL_CTL_DEL, watch->fd, NULL);
	/* It may be dropped, and its memory used anew, while the batch it is in is worked on. */
	for (int i = 0; i < loop->count; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
}

void loop_wait(struct loop *loop, int64_t deadline)
{
	int64_t latest = clock_now() + (int64_t)LONGEST_MS * 1000;
	int timeout = clock_ms_until(deadline < latest ? deadline : latest);

	/*
	 * EINTR comes after SIGSTOP and SIGCONT.  Then deadlines have passed without
	 * us, and what had arrived in time must be heard before they are acted on.
	 */
	while ((loop->count = epoll_wait(loop->fd, loop->events, AT_ONCE, timeout)) < 0) {
		if (errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		timeout = 0;
	}
	for (int i = 0; i < loop->count; i++) {
		struct watch *watch = loop->events[i].data.ptr;

		if (watch != NULL)
			watch->act(watch, loop->events[i].events);
	}
	loop->count = 0;
}
