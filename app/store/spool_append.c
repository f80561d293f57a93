/*
 * spool_append.c - appending to a spool: one write and one fsync for all who come at once.
 *
 * The first thread that comes leads: it writes for all that have queued up behind
 * it, and then for those that came while it wrote.  On a disk that syncs in 5 ms
 * this is what makes more than 200 requests a second out of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/spool_files.h"

/* --- the lock over all processes --- */

void spool_lock(struct spool *spool)
{
	pthread_mutex_lock(&spool->in_process);
	while (flock(spool->state_fd, LOCK_EX) != 0)
		if (errno != EINTR)
			die("spool: flock: %s", strerror(errno));
}

void spool_unlock(struct spool *spool)
{
	(void)flock(spool->state_fd, LOCK_UN);
	pthread_mutex_unlock(&spool->in_process);
}

/* --- the file --- */

static bool complain(struct spool *spool, const char *what)
{
	if (!spool->complained)
		log_error("spool: %s: %s: messages are refused until that is mended", what,
		    strerror(errno));
	spool->complained = true;
	return false;
}

/* A new segment begins here.  Its name has to last, too. */
static bool begin_segment(struct spool *spool, uint64_t start)
{
	char name[SEGMENT_NAME];

	segment_name(name, start);
	spool->segment_fd = spool_create(spool, name, O_WRONLY | O_TRUNC);
	if (spool->segment_fd < 0 || fsync(spool->folder) != 0)
		return complain(spool, "cannot begin a file");
	spool->segment = start;
	spool->state->segment = start;
	return true;
}

/* Not so when it was drained, and another that begins at the same place was begun since. */
static bool is_in_folder(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/* The segment to append to, which another process may have begun or ended. */
static bool open_segment(struct spool *spool)
{
	uint64_t written = spool->state->written, segment = spool->state->segment;
	char name[SEGMENT_NAME];

	if (segment != SPOOL_NONE && segment == spool->segment && is_in_folder(spool->segment_fd) &&
	    written - segment < (uint64_t)spool->options.segment_most)
		return true;
	if (spool->segment_fd >= 0)
		close(spool->segment_fd);
	spool->segment_fd = -1;
	spool->segment = SPOOL_NONE;
	if (segment == SPOOL_NONE || written - segment >= (uint64_t)spool->options.segment_most)
		return begin_segment(spool, written);
	segment_name(name, segment);
	spool->segment_fd = openat(spool->folder, name, O_WRONLY | O_CLOEXEC);
	if (spool->segment_fd < 0)
		return errno == ENOENT ? begin_segment(spool, written)
				       : complain(spool, "cannot open a file");
	spool->segment = segment;
	return true;
}

static bool write_all(int fd, const char *bytes, size_t length, off_t at)
{
	while (length > 0) {
		ssize_t n = pwrite(fd, bytes, length, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
		at += n;
	}
	return true;
}

/* Also what a process left that died while it wrote. */
static bool cut(const struct spool *spool)
{
	struct stat status;
	off_t end = (off_t)(spool->state->written - spool->segment);

	return fstat(spool->segment_fd, &status) == 0 &&
	       (status.st_size <= end || ftruncate(spool->segment_fd, end) == 0);
}

/* Writes those from FIRST on that fit, syncs them, and says to each what became of it. */
static bool write_group(struct spool *spool, struct keeping *first)
{
	uint64_t position = spool->state->written;
	bool well = cut(spool);

	for (struct keeping *keeping = first; keeping != NULL && well; keeping = keeping->next) {
		if (keeping->fate == SPOOL_FULL)
			continue;
		((struct record_head *)(void *)keeping->record)->position = position;
		well = write_all(spool->segment_fd, keeping->record, keeping->length,
		    (off_t)(position - spool->segment));
		position += keeping->length;
	}
	well = well && fdatasync(spool->segment_fd) == 0;
	if (well) {
		spool->complained = false;
		spool->state->written = position;
		return true;
	}
	(void)complain(spool, "cannot write");
	(void)cut(spool);
	return false;
}

/* --- all who wait --- */

/* Marks those for which there is no room left as SPOOL_FULL; whether any is left. */
static bool admit(struct spool *spool, struct keeping *first)
{
	long long room = spool->options.bytes_most - spool_waiting(spool);
	bool any = false;

	for (struct keeping *keeping = first; keeping != NULL; keeping = keeping->next) {
		keeping->fate = (long long)keeping->length <= room ? SPOOL_KEPT : SPOOL_FULL;
		room -= keeping->fate == SPOOL_KEPT ? (long long)keeping->length : 0;
		any = any || keeping->fate == SPOOL_KEPT;
	}
	if (!any) {
		errno = ENOSPC;
		(void)complain(spool, "as much waits as may");
	}
	return any;
}

static bool all_may_pass(const struct keeping *first)
{
	while (first != NULL && first->may_pass)
		first = first->next;
	return first == NULL;
}

static void decide(struct spool *spool, struct keeping *first)
{
	enum spool_fate all = SPOOL_KEPT;

	spool_lock(spool);
	if (spool_is_empty(spool) && all_may_pass(first))
		all = SPOOL_PASSED;
	else if (admit(spool, first) && (!open_segment(spool) || !write_group(spool, first)))
		all = SPOOL_FULL;
	spool_unlock(spool);
	for (; all != SPOOL_KEPT && first != NULL; first = first->next)
		first->fate = all;
}

/* With the lock held: decides about all who are queued, until nobody is. */
static void lead(struct spool *spool)
{
	spool->leading = true;
	while (spool->first != NULL) {
		struct keeping *first = spool->first, *next;

		spool->first = spool->last = NULL;
		pthread_mutex_unlock(&spool->lock);
		decide(spool, first);
		pthread_mutex_lock(&spool->lock);
		/* Whoever is decided about may go, and takes its memory along. */
		for (; first != NULL; first = next) {
			next = first->next;
			first->decided = true;
		}
		pthread_cond_broadcast(&spool->decided);
	}
	spool->leading = false;
}

enum spool_fate spool_keep(struct spool *spool, struct arena *arena,
    const struct broker_message *messages, size_t count, bool may_pass)
{
	struct keeping keeping = { .may_pass = may_pass };

	keeping.record = spooled_write(arena, messages, count, &keeping.length);
	/* It is in the queue for no longer than this function lasts. */
	pthread_mutex_lock(&spool->lock);
	if (spool->last != NULL)
		/* cppcheck-suppress autoVariables */
		spool->last->next = &keeping;
	else
		/* cppcheck-suppress autoVariables */
		spool->first = &keeping;
	/* cppcheck-suppress autoVariables */
	spool->last = &keeping;
	if (!spool->leading)
		lead(spool);
	while (!keeping.decided)
		pthread_cond_wait(&spool->decided, &spool->lock);
	pthread_mutex_unlock(&spool->lock);
	return keeping.fate;
}
