/* spool_segment.c - the files of a spool: their names, reading them, and what a crash has left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/spool_files.h"

#define SUFFIX ".spool"

void segment_name(char name[static SEGMENT_NAME], uint64_t start)
{
	snprintf(name, SEGMENT_NAME, "%016" PRIx64 SUFFIX, start);
}

/* --- which there are --- */

/* The start that NAME says, or SPOOL_NONE when it is no segment's. */
static uint64_t start_of(const char *name)
{
	char *end = NULL;
	uint64_t start = strtoull(name, &end, 16);

	return end == name + 16 && strcmp(end, SUFFIX) == 0 ? start : SPOOL_NONE;
}

/* Of all segments the first that starts at or behind POSITION, or the last that starts at or before
 * it. */
static uint64_t find(const struct spool *spool, uint64_t position, bool behind)
{
	int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	uint64_t found = SPOOL_NONE;
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		uint64_t start = start_of(entry->d_name);

		if (start == SPOOL_NONE)
			continue;
		if (behind ? start >= position && start < found
			   : start <= position && (found == SPOOL_NONE || start > found))
			found = start;
	}
	if (folder != NULL)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
	return found;
}

uint64_t segment_from(const struct spool *spool, uint64_t position)
{
	return find(spool, position, true);
}

uint64_t segment_of(const struct spool *spool, uint64_t position)
{
	return find(spool, position, false);
}

/* --- reading --- */

ssize_t segment_read(
    const struct spool *spool, uint64_t position, uint64_t end, char *into, size_t room)
{
	uint64_t start = segment_of(spool, position);
	char name[SEGMENT_NAME];
	ssize_t length = 0;
	int fd;

	if (start == SPOOL_NONE || position >= end)
		return 0;
	segment_name(name, start);
	fd = openat(spool->folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	length = pread(fd, into, end - position < room ? (size_t)(end - position) : room,
	    (off_t)(position - start));
	if (length < 0)
		log_error("spool: %s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return length;
}

int spool_create(const struct spool *spool, const char *name, int flags)
{
	int fd = openat(spool->folder, name, flags | O_CREAT | O_CLOEXEC, 0600);
	struct stat folder;

	if (fd >= 0 && geteuid() == 0 && fstat(spool->folder, &folder) == 0 &&
	    fchown(fd, folder.st_uid, folder.st_gid) != 0)
		log_warn("spool: %s: chown: %s", name, strerror(errno));
	return fd;
}

void segment_drop(const struct spool *spool, uint64_t start)
{
	char name[SEGMENT_NAME];

	segment_name(name, start);
	if (unlinkat(spool->folder, name, 0) != 0 && errno != ENOENT)
		log_error("spool: %s: %s", name, strerror(errno));
}

/* --- after a crash --- */

static long long size_of(const struct spool *spool, uint64_t start)
{
	char name[SEGMENT_NAME];
	struct stat status;

	segment_name(name, start);
	return fstatat(spool->folder, name, &status, 0) == 0 ? (long long)status.st_size : 0;
}

/* The end of the whole records from POSITION on, in the segment that starts at START. */
static uint64_t end_of_whole(const struct spool *spool, uint64_t start, uint64_t position)
{
	uint64_t end = start + (uint64_t)size_of(spool, start);
	size_t room = end > position ? (size_t)(end - position) : 0, whole, at = 0;
	ssize_t length;
	char *bytes;

	if (room == 0)
		return position;
	bytes = malloc(room);
	if (bytes == NULL)
		die("out of memory");
	length = segment_read(spool, position, end, bytes, room);
	if (length < 0)
		die("spool: what was kept cannot be read");
	while ((whole = spooled_check(bytes + at, (size_t)length - at, position + at)) > 0)
		at += whole;
	free(bytes);
	if (position + at < end)
		log_warn("spool: %llu bytes of a record that was never finished are dropped",
		    (unsigned long long)(end - position - at));
	return position + at;
}

/*
 * After the death of a process the state is right, and what stands behind it was
 * acknowledged to nobody.  After that of the machine the state may be older than the
 * segments, which were synced: whole records go on counting.
 */
void segments_recover(struct spool *spool)
{
	uint64_t written = spool->state->written;
	uint64_t segment = segment_of(spool, written);

	if (segment == SPOOL_NONE || written > segment + (uint64_t)size_of(spool, segment))
		segment = segment_from(spool, written);
	while (segment != SPOOL_NONE) {
		uint64_t next = segment_from(spool, segment + 1);

		written = end_of_whole(spool, segment, written > segment ? written : segment);
		if (next == SPOOL_NONE)
			break;
		segment = next;
	}
	spool->state->segment = segment;
	spool->state->written = written;
	if (spool->state->drained > written)
		spool->state->drained = written;
}
