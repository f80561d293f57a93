/* waiting.c - waiting for something, with a deadline that no clock change moves. */
#include "base/waiting.h"

#include <poll.h>

#include "base/clock.h"

void waiting_init(struct waiting *waiting)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&waiting->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&waiting->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void waiting_destroy(struct waiting *waiting)
{
	pthread_cond_destroy(&waiting->changed);
	pthread_mutex_destroy(&waiting->lock);
}

bool waiting_until(struct waiting *waiting, int64_t deadline)
{
	struct timespec until = { .tv_sec = deadline / SECOND_US,
		.tv_nsec = deadline % SECOND_US * 1000 };

	return pthread_cond_timedwait(&waiting->changed, &waiting->lock, &until) == 0;
}

bool waiting_for_fd(int fd, short events, int64_t deadline)
{
	struct pollfd descriptor = { .fd = fd, .events = events };
	int ms;

	do
		ms = clock_ms_until(deadline);
	while (poll(&descriptor, 1, ms) == 0 && ms > 0);
	return descriptor.revents != 0;
}
