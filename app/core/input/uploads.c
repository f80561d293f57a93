/* uploads.c - files that were sent, while their request lasts. */
#include "core/input/uploads.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/log.h"

struct held_file {
	int fd;
	struct held_file *next;
};

/* Where a file system knows no O_TMPFILE (some overlays): one whose name is gone at once. */
static int open_and_unlink(struct request *rq)
{
	char *path = arena_print(rq->arena, "%s/upload-XXXXXX", rq->app->uploads);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		unlink(path);
	return fd;
}

int uploads_open(struct request *rq)
{
	int fd = open(rq->app->uploads, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct held_file *held;

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open_and_unlink(rq);
	if (fd < 0) {
		log_error("uploads: %s: %s", rq->app->uploads, strerror(errno));
		return -1;
	}
	held = arena_alloc(rq->arena, sizeof(*held));
	*held = (struct held_file){ fd, rq->files };
	rq->files = held;
	return fd;
}

bool uploads_write(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, bytes, length);

		if (wrote < 0) {
			log_error("uploads: cannot write: %s", strerror(errno));
			return false;
		}
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

void uploads_close(struct request *rq)
{
	for (struct held_file *file = rq->files; file != NULL; file = file->next)
		close(file->fd);
	rq->files = NULL;
}

/* --- for handlers --- */

long upload_read(void *upload, char *bytes, size_t room)
{
	const struct upload *file = upload;

	return read(file->fd, bytes, room);
}

/* Gives it a name: free of cost, but within one file system only. */
static bool link_to(const struct upload *upload, const char *path)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", upload->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* Not by copy_file_range(2), which does not go from one kind of file system to another. */
static bool copy_bytes(const struct upload *upload, int to)
{
	off_t at = 0;

	while (at < upload->size)
		if (sendfile(to, upload->fd, &at, (size_t)(upload->size - at)) <= 0)
			return false;
	return fsync(to) == 0;
}

static bool copy_to(const struct upload *upload, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool well;

	if (to < 0)
		return false;
	well = copy_bytes(upload, to);
	well = close(to) == 0 && well;
	if (!well)
		unlink(path);
	return well;
}

/* A name is on disk when its folder is. */
static bool sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd;
	bool well;

	snprintf(folder, sizeof(folder), "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	well = fsync(fd) == 0;
	close(fd);
	return well;
}

bool upload_keep(const struct upload *upload, const char *path)
{
	bool linked = fsync(upload->fd) == 0 && link_to(upload, path);

	if (linked || ((errno == EXDEV || errno == ENOENT) && copy_to(upload, path)))
		return sync_folder(path);
	log_error("uploads: cannot keep %s: %s", path, strerror(errno));
	return false;
}
