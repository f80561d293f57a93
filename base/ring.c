/*
 * ring.c - records that many processes write and one reads, in a file that they map.
 *
 * Each place has a word beside it: FREE, READY, or the number of the process that is
 * writing there.  A place is taken by compare-and-exchange and given on by a release
 * store, so that nothing is ever locked.  Records have no order: who reads them sorts by
 * what is in them.
 *
 * The number of a dead writer may be a living process's by the time that the reader
 * asks: then its place is missing until that one has died, too.
 */
#include "base/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define MAGIC     UINT64_C(0x31474e4952534f) /* "OSRING1" */
#define FREE      0u
#define READY     UINT32_MAX
#define LOOK_MOST 16 /* places that a writer looks at before it gives up */

struct shared {
	uint64_t magic, places;
	_Alignas(64) _Atomic uint64_t next; /* where the next writer looks first */
	_Alignas(64) _Atomic uint64_t lost;
	_Alignas(64) _Atomic uint32_t state[];
};

struct ring {
	struct shared *shared;
	char *records;
	size_t size, places;
	uint32_t self;
	int fd;
	size_t from; /* where the reader goes on */
};

static size_t states_end(size_t places)
{
	return (sizeof(struct shared) + places * sizeof(uint32_t) + 4095) & ~(size_t)4095;
}

/* Whether the file was made for as many places, by a program with the same layout. */
static bool is_ours(int fd, size_t places)
{
	struct stat is;
	struct shared head;

	return fstat(fd, &is) == 0 &&
	       (size_t)is.st_size == states_end(places) + places * RING_RECORD &&
	       pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) && head.magic == MAGIC &&
	       head.places == places;
}

/* A new file appears under its name when it is whole: who opens that never sees half of one. */
static int make(const char *path, size_t places)
{
	const struct shared head = { .magic = MAGIC, .places = places };
	char *name = NULL;
	int fd;

	if (asprintf(&name, "%s.XXXXXX", path) < 0)
		die("out of memory");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0 && (ftruncate(fd, (off_t)(states_end(places) + places * RING_RECORD)) != 0 ||
			   pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
			   rename(name, path) != 0)) {
		int why = errno;

		unlink(name);
		close(fd);
		errno = why;
		fd = -1;
	}
	free(name);
	return fd;
}

/* Under a lock beside it: of processes that start together one makes it. */
static int open_file(const char *path, size_t places)
{
	char *name = NULL;
	int lock, fd = -1;

	if (asprintf(&name, "%s.lock", path) < 0)
		die("out of memory");
	lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(name);
	if (lock < 0)
		return -1;
	if (flock(lock, LOCK_EX) == 0) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && !is_ours(fd, places)) {
			close(fd);
			fd = -1;
			errno = ENOENT;
		}
		if (fd < 0 && errno == ENOENT)
			fd = make(path, places);
	}
	close(lock);
	return fd;
}

struct ring *ring_open(const char *path, size_t places)
{
	struct ring *ring;
	size_t size = states_end(places) + places * RING_RECORD;
	int fd = open_file(path, places);
	void *map;

	if (fd < 0)
		return NULL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		int why = errno;

		close(fd);
		errno = why;
		return NULL;
	}
	ring = calloc(1, sizeof(*ring));
	if (ring == NULL)
		die("out of memory");
	*ring = (struct ring){ .shared = map,
		.records = (char *)map + states_end(places),
		.size = size,
		.places = places,
		.self = (uint32_t)getpid(),
		.fd = fd };
	return ring;
}

void ring_close(struct ring **ring)
{
	if (*ring == NULL)
		return;
	munmap((*ring)->shared, (*ring)->size);
	close((*ring)->fd);
	free(*ring);
	*ring = NULL;
}

bool ring_put(struct ring *ring, const void *record, size_t length)
{
	struct shared *shared = ring->shared;

	if (length > RING_RECORD)
		bug("a record of %zu bytes", length);
	for (int looks = 0; looks < LOOK_MOST; looks++) {
		size_t at = atomic_fetch_add(&shared->next, 1) % ring->places;
		uint32_t was = FREE;

		if (!atomic_compare_exchange_strong(&shared->state[at], &was, ring->self))
			continue;
		memcpy(ring->records + at * RING_RECORD, record, length);
		atomic_store_explicit(&shared->state[at], READY, memory_order_release);
		return true;
	}
	atomic_fetch_add(&shared->lost, 1);
	return false;
}

/* --- for the reader --- */

bool ring_reads_alone(struct ring *ring)
{
	return flock(ring->fd, LOCK_EX | LOCK_NB) == 0;
}

static bool is_dead(uint32_t writer)
{
	return kill((pid_t)writer, 0) != 0 && errno == ESRCH;
}

size_t ring_read(struct ring *ring, const void **records, size_t most)
{
	size_t count = 0;

	for (size_t looked = 0; looked < ring->places && count < most; looked++) {
		size_t at = ring->from++ % ring->places;
		uint32_t state = atomic_load_explicit(
		    &ring->shared->state[at], memory_order_acquire);

		if (state == READY)
			records[count++] = ring->records + at * RING_RECORD;
		else if (state != FREE && is_dead(state) &&
			 atomic_compare_exchange_strong(&ring->shared->state[at], &state, FREE))
			atomic_fetch_add(&ring->shared->lost, 1);
	}
	return count;
}

void ring_let_go(struct ring *ring, const void *const *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)((const char *)records[i] - ring->records) / RING_RECORD;

		atomic_store_explicit(&ring->shared->state[at], FREE, memory_order_release);
	}
}

size_t ring_waiting(const struct ring *ring)
{
	size_t count = 0;

	for (size_t at = 0; at < ring->places; at++)
		count += atomic_load_explicit(&ring->shared->state[at], memory_order_relaxed) ==
			 READY;
	return count;
}

uint64_t ring_lost(struct ring *ring)
{
	return atomic_exchange(&ring->shared->lost, 0);
}
