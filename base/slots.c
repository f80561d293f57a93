/*
 * slots.c - so many at once of something dear, over all processes of this machine.
 *
 * Locks belong to an open file, not to a thread, so each that this process may hold
 * at once has a descriptor of its own, opened beforehand.  A thread first waits for
 * one of these, in turn, and then for a byte that no other process has.  There is no
 * way to wait for whichever byte is the first to be free, nor with a deadline for one:
 * so it looks again and again, which for something that takes many times as long
 * costs nothing that counts.
 */
#include "base/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/waiting.h"

/* Between two looks at what other processes hold. */
#define LOOK_AGAIN_US 2000

struct slots {
	int count;
	bool alone;             /* no file: nobody else is asked */
	struct waiting ours;    /* for one of our descriptors */
	bool taken[SLOTS_MOST]; /* of our descriptors, by this process's threads */
	int fd[SLOTS_MOST];
};

static bool open_all(struct slots *slots, const char *path)
{
	for (int i = 0; i < slots->count; i++) {
		slots->fd[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (slots->fd[i] < 0)
			return false;
	}
	return true;
}

struct slots *slots_open(const char *path, int count)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	if (slots == NULL)
		die("out of memory");
	slots->count = count < SLOTS_MOST ? count : SLOTS_MOST;
	slots->alone = path[0] == '\0';
	for (int i = 0; i < SLOTS_MOST; i++)
		slots->fd[i] = -1;
	waiting_init(&slots->ours);
	if (!slots->alone && !open_all(slots, path)) {
		int why = errno;

		slots_close(&slots);
		errno = why;
	}
	return slots;
}

void slots_close(struct slots **slots)
{
	if (*slots == NULL)
		return;
	for (int i = 0; i < (*slots)->count; i++)
		if ((*slots)->fd[i] >= 0)
			close((*slots)->fd[i]);
	waiting_destroy(&(*slots)->ours);
	free(*slots);
	*slots = NULL;
}

/* --- within this process --- */

static int free_one(const struct slots *slots)
{
	for (int i = 0; i < slots->count; i++)
		if (!slots->taken[i])
			return i;
	return -1;
}

static int take_ours(struct slots *slots, int64_t deadline)
{
	int ours;

	pthread_mutex_lock(&slots->ours.lock);
	while ((ours = free_one(slots)) < 0)
		if (!waiting_until(&slots->ours, deadline))
			break;
	if (ours >= 0)
		slots->taken[ours] = true;
	pthread_mutex_unlock(&slots->ours.lock);
	return ours;
}

static void give_back_ours(struct slots *slots, int ours)
{
	pthread_mutex_lock(&slots->ours.lock);
	slots->taken[ours] = false;
	pthread_cond_signal(&slots->ours.changed);
	pthread_mutex_unlock(&slots->ours.lock);
}

/* --- between processes --- */

static bool set_lock(int fd, short type, int byte)
{
	/* Open file description locks want l_pid to be 0; a length of 0 would be "to the end". */
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Whichever byte is free; it need not be the one with the descriptor's number. */
static bool lock_any_byte(const struct slots *slots, int fd)
{
	for (int byte = 0; byte < slots->count; byte++)
		if (set_lock(fd, F_WRLCK, byte))
			return true;
	return false;
}

int slots_take(struct slots *slots, int64_t deadline)
{
	int ours = take_ours(slots, deadline);

	if (ours < 0 || slots->alone)
		return ours;
	while (!lock_any_byte(slots, slots->fd[ours])) {
		if (clock_now() >= deadline) {
			give_back_ours(slots, ours);
			return -1;
		}
		usleep(LOOK_AGAIN_US);
	}
	return ours;
}

void slots_give_back(struct slots *slots, int slot)
{
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (!slots->alone)
		(void)fcntl(slots->fd[slot], F_OFD_SETLK, &all);
	give_back_ours(slots, slot);
}
