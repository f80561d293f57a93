/* loop.h - waits for many descriptors and one deadline: epoll(7). */
#ifndef SUPERVISOR_SYSTEM_LOOP_H
#define SUPERVISOR_SYSTEM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define LOOP_FOREVER INT64_MAX

struct loop;

/* A descriptor and what to do when something happens to it. */
struct watch {
	int fd;
	void (*act)(struct watch *, uint32_t events); /* EPOLLIN … */
	void *owner;
};

/* NULL with errno set when the kernel refuses. */
struct loop *loop_open(struct arena *) MUST_CHECK;
void loop_close(struct loop **);

/* The watch must stay where it is until loop_drop.  False with errno set. */
bool loop_add(struct loop *, struct watch *, uint32_t events) MUST_CHECK;
void loop_change(struct loop *, struct watch *, uint32_t events);

/* Forgets the watch, also what had already happened to it; the descriptor stays open. */
void loop_drop(struct loop *, struct watch *);

/* Waits until something happens or DEADLINE (a clock_now) has come, then calls the watches. */
void loop_wait(struct loop *, int64_t deadline);

#endif
