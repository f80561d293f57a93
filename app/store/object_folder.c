/*
 * object_folder.c - objects as files in a folder.
 *
 * A key is the file's path below the folder.  An object is written under a name
 * that no key can have, synced, and renamed over the old one: rename(2) is what
 * makes it whole or nothing, and syncing the folder is what makes it last.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/object_driver.h"

#define INCOMING "/.incoming-XXXXXX"

/* What a writer that died has left is swept up when the folder is opened this much later. */
#define LEFT_BEHIND_AFTER (24 * 60 * 60)

#define CHUNK (64 << 10)

struct folder {
	char *path;
};

/* The file of a key; the caller has room for the longest of both. */
struct place {
	char path[4096], parent[4096];
};

static bool find_place(const struct folder *folder, const char *key, struct place *place)
{
	int length = snprintf(place->path, sizeof(place->path), "%s/%s", folder->path, key);

	if (length < 0 || (size_t)length >= sizeof(place->path) - sizeof(INCOMING)) {
		log_error("object %s: its path is too long", key);
		return false;
	}
	memcpy(place->parent, place->path, (size_t)length + 1);
	*strrchr(place->parent, '/') = '\0';
	return true;
}

static enum object_fate failure(const char *what, const char *path)
{
	int error = errno;

	log_error("object store: cannot %s %s: %s", what, path, strerror(error));
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		return OBJECT_FULL;
	return error == EACCES || error == EPERM || error == EROFS ? OBJECT_REFUSED
								   : OBJECT_UNAVAILABLE;
}

static enum object_fate failure_unless_missing(const char *what, const char *path)
{
	return errno == ENOENT ? OBJECT_MISSING : failure(what, path);
}

/* --- opening --- */

typedef void visit_fn(void *context, const FTSENT *file, const char *key);

/* Visits every file below the folder.  False with errno set: not all could be seen. */
static bool walk(const struct folder *folder, visit_fn *visit, void *context)
{
	char *const paths[] = { folder->path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *file;
	int error = 0;

	if (tree == NULL)
		return false;
	while ((file = fts_read(tree)) != NULL) {
		if (file->fts_info == FTS_F)
			visit(context, file, file->fts_path + strlen(folder->path) + 1);
		else if (file->fts_info == FTS_DNR || file->fts_info == FTS_ERR)
			error = file->fts_errno;
	}
	fts_close(tree);
	errno = error;
	return error == 0;
}

static void sweep(void *now, const FTSENT *file, const char *key)
{
	(void)key;
	if (text_starts(file->fts_name, ".incoming-") &&
	    file->fts_statp->st_mtime + LEFT_BEHIND_AFTER < *(const time_t *)now)
		unlink(file->fts_path);
}

static void *open_folder(const struct object_options *options, const char *where,
    struct arena *arena, const char **wrong)
{
	time_t now = time(NULL);
	struct folder *folder;

	(void)options;
	if (where[0] != '/')
		*wrong = arena_print(arena, "%s is no absolute path", where);
	else if (mkdir(where, 0750) < 0 && errno != EEXIST)
		*wrong = arena_print(arena, "cannot make %s: %s", where, strerror(errno));
	else if (access(where, R_OK | X_OK) < 0)
		*wrong = arena_print(arena, "%s: %s", where, strerror(errno));
	else
		*wrong = NULL;
	if (*wrong != NULL)
		return NULL;
	folder = calloc(1, sizeof(*folder));
	if (folder == NULL || (folder->path = strdup(where)) == NULL)
		die("out of memory");
	(void)walk(folder, sweep, &now);
	return folder;
}

static void close_folder(void *store)
{
	struct folder *folder = store;

	free(folder->path);
	free(folder);
}

/* --- writing --- */

/* Makes the folders between ours and the object's; those that are there already are fine. */
static bool make_parents(const struct folder *folder, char *parent)
{
	for (char *slash = parent + strlen(folder->path);; slash++) {
		if (*slash != '/' && *slash != '\0')
			continue;
		if (*slash == '\0')
			return mkdir(parent, 0750) == 0 || errno == EEXIST;
		*slash = '\0';
		if (mkdir(parent, 0750) < 0 && errno != EEXIST)
			return false;
		*slash = '/';
	}
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return true;
}

static enum object_fate fill(
    int fd, const char *path, long long length, object_source_fn *source, void *context)
{
	char chunk[CHUNK];

	while (length > 0) {
		size_t room = length < CHUNK ? (size_t)length : CHUNK;
		long got = source(context, chunk, room);

		if (got <= 0)
			return OBJECT_CUT;
		if (!write_all(fd, chunk, (size_t)got))
			return failure("write", path);
		length -= got;
	}
	return fsync(fd) == 0 ? OBJECT_DONE : failure("sync", path);
}

/* Without it the name may be gone after a crash, although the file is there. */
static enum object_fate sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum object_fate fate = OBJECT_DONE;

	if (fd < 0 || fsync(fd) < 0)
		fate = failure("sync", path);
	if (fd >= 0)
		close(fd);
	return fate;
}

static enum object_fate put(
    void *store, const char *key, long long length, object_source_fn *source, void *context)
{
	const struct folder *folder = store;
	enum object_fate fate;
	struct place place = { 0 };
	char incoming[sizeof(place.parent) + sizeof(INCOMING)];
	int fd;

	if (!find_place(folder, key, &place))
		return OBJECT_REFUSED;
	if (!make_parents(folder, place.parent))
		return failure("make", place.parent);
	snprintf(incoming, sizeof(incoming), "%s%s", place.parent, INCOMING);
	fd = mkostemp(incoming, O_CLOEXEC);
	if (fd < 0)
		return failure("write in", place.parent);
	fate = fchmod(fd, 0640) == 0 ? fill(fd, place.path, length, source, context)
				     : failure("write", incoming);
	close(fd);
	if (fate == OBJECT_DONE && rename(incoming, place.path) < 0)
		fate = failure("write", place.path);
	if (fate == OBJECT_DONE)
		return sync_folder(place.parent);
	unlink(incoming);
	return fate;
}

/* --- reading, removing, listing --- */

static enum object_fate pour(int fd, const char *path, object_sink_fn *sink, void *context)
{
	char chunk[CHUNK];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failure("read", path);
		if (!sink(context, chunk, (size_t)got))
			return OBJECT_CUT;
	}
	return OBJECT_DONE;
}

static enum object_fate get(void *store, const char *key, object_sink_fn *sink, void *context)
{
	enum object_fate fate;
	struct place place = { 0 };
	int fd;

	if (!find_place(store, key, &place))
		return OBJECT_MISSING;
	fd = open(place.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return failure_unless_missing("read", place.path);
	fate = pour(fd, place.path, sink, context);
	close(fd);
	return fate;
}

static enum object_fate drop(void *store, const char *key)
{
	struct place place = { 0 };

	if (!find_place(store, key, &place))
		return OBJECT_MISSING;
	if (unlink(place.path) < 0)
		return failure_unless_missing("remove", place.path);
	return sync_folder(place.parent);
}

struct finding {
	struct arena *arena;
	const char *prefix;
	struct object_list *list;
};

/* A file that is no object's, as a person may have put it there, is passed over. */
static void find_one(void *context, const FTSENT *file, const char *key)
{
	struct finding *finding = context;

	if (text_starts(key, finding->prefix) && object_key_is_valid(key))
		object_list_add(
		    finding->list, finding->arena, key, (long long)file->fts_statp->st_size);
}

static enum object_fate find(
    void *store, struct arena *arena, const char *prefix, struct object_list *list)
{
	struct finding finding = { .arena = arena, .prefix = prefix, .list = list };
	const struct folder *folder = store;

	return walk(folder, find_one, &finding) ? OBJECT_DONE : failure("list", folder->path);
}

const struct object_driver object_folder = { .open = open_folder,
	.close = close_folder,
	.put = put,
	.get = get,
	.drop = drop,
	.find = find };
