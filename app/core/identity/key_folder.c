/* key_folder.c - the folder of keys: a file for each that signs tokens, and one that seals. */
#include "core/identity/key_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/log.h"
#include "base/text.h"

#define SEAL_FILE "seal.key"
#define SUFFIX    ".pem"
#define WHEN      "%Y%m%dT%H%M%SZ"
#define WHEN_TEXT 17 /* 20260131T120000Z and its NUL */

/* Larger than any key of ours. */
#define FILE_MOST 4096

int key_folder_lock(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder >= 0 && flock(folder, LOCK_EX) != 0) {
		close(folder);
		return -1;
	}
	return folder;
}

/* --- one file --- */

/* Whole, NUL-terminated, in the arena; NULL after logging why it is not used, unless it is missing.
 */
static char *read_secret(struct arena *arena, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = arena_alloc(arena, FILE_MOST + 1);
	struct stat is;
	ssize_t got;

	if (fd < 0) {
		if (errno != ENOENT)
			log_error("keys: %s: %s", name, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &is) != 0 || (is.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		log_error("keys: %s: others may read it: make a new one, or chmod 600", name);
		close(fd);
		return NULL;
	}
	got = read(fd, text, FILE_MOST);
	close(fd);
	if (got > 0)
		return text;
	log_error("keys: %s: %s", name, got < 0 ? strerror(errno) : "it is empty");
	return NULL;
}

static bool write_whole(int fd, const char *text)
{
	size_t length = strlen(text);

	return write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
}

/*
 * Under another name first, so that nobody reads half a key.  Made by root, it belongs to
 * whom the folder belongs to: the application, which is to read it.
 */
static bool write_secret(int folder, const char *name, const char *text)
{
	static const char draft[] = "new";
	struct stat owner;
	int fd;
	bool written;

	unlinkat(folder, draft, 0); /* of somebody who died; the folder is locked */
	fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	written = write_whole(fd, text) && fstat(folder, &owner) == 0 &&
		  (geteuid() != 0 || fchown(fd, owner.st_uid, owner.st_gid) == 0) &&
		  renameat(folder, draft, folder, name) == 0 && fsync(folder) == 0;
	close(fd);
	return written;
}

/* --- signing keys --- */

static const char *name_of(struct arena *arena, const struct signing_key *key)
{
	time_t at = (time_t)key->made_at;
	char when[WHEN_TEXT];
	struct tm tm;

	strftime(when, sizeof(when), WHEN, gmtime_r(&at, &tm));
	return arena_print(arena, "%s-%s" SUFFIX, when, key->kid);
}

/* When the key in the file NAME was made; false: that is no name of ours. */
static bool made_at(const char *name, long long *at)
{
	struct tm tm = { 0 };
	const char *rest = strptime(name, WHEN, &tm);

	if (rest == NULL || rest - name != WHEN_TEXT - 1 || *rest != '-' ||
	    strlen(rest) != 1 + KEY_TEXT - 1 + strlen(SUFFIX) ||
	    strcmp(rest + KEY_TEXT, SUFFIX) != 0)
		return false;
	*at = timegm(&tm);
	return true;
}

static bool read_key(struct arena *arena, int folder, const char *name, struct signing_key *key)
{
	const char *pem;

	if (!made_at(name, &key->made_at))
		return false;
	pem = read_secret(arena, folder, name);
	if (pem == NULL)
		return false;
	if (signing_key_read(arena, pem, key) && strcmp(name_of(arena, key), name) == 0)
		return true;
	log_error("keys: %s: it holds no key of that name on P-256", name);
	return false;
}

/* Of names that begin with their time: the newest first. */
static int by_age(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*other)->d_name, (*one)->d_name);
}

bool key_folder_read(
    struct arena *arena, const char *path, struct signing_key **keys, size_t *count)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int found;

	if (folder < 0)
		return false;
	found = scandirat(folder, ".", &entries, NULL, by_age);
	*count = 0;
	*keys = arena_alloc(arena, (size_t)(found > 0 ? found : 1) * sizeof(**keys));
	for (int i = 0; i < found; i++) {
		if (read_key(arena, folder, entries[i]->d_name, &(*keys)[*count]))
			++*count;
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	close(folder);
	return found >= 0;
}

bool key_folder_add(struct arena *arena, int folder, long long now, struct signing_key *key)
{
	signing_key_make(arena, key);
	key->made_at = now;
	return write_secret(folder, name_of(arena, key), key->pem);
}

bool key_folder_remove(struct arena *arena, int folder, const struct signing_key *key)
{
	return unlinkat(folder, name_of(arena, key), 0) == 0 && fsync(folder) == 0;
}

/* --- the key that seals --- */

static bool make_seal(struct arena *arena, int folder, unsigned char seal[static SEAL_KEY_BYTES])
{
	random_fill(seal, SEAL_KEY_BYTES);
	if (write_secret(folder, SEAL_FILE,
		arena_print(arena, "%s\n", hex_write(arena, seal, SEAL_KEY_BYTES))))
		return true;
	log_error("keys: " SEAL_FILE ": %s", strerror(errno));
	return false;
}

bool key_folder_seal(struct arena *arena, int folder, unsigned char seal[static SEAL_KEY_BYTES])
{
	char *text;

	if (faccessat(folder, SEAL_FILE, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return make_seal(arena, folder, seal);
	text = read_secret(arena, folder, SEAL_FILE);
	if (text == NULL)
		return false;
	text[strcspn(text, "\r\n")] = '\0';
	if (hex_read(text, seal, SEAL_KEY_BYTES))
		return true;
	log_error(
	    "keys: " SEAL_FILE ": it does not hold %d hexadecimal digits", 2 * SEAL_KEY_BYTES);
	return false;
}
