/* keyring.c - the keys of a process: which one signs, which ones are taken, which one seals. */
#include "core/identity/keyring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/identity/key_folder.h"

/* Signatures remembered: 32 KiB, and a token in the way of another costs that one 400 µs. */
#define KNOWN 1024

/* A file system's clock ticks at least so often; in a folder read later nothing can have hidden. */
#define TICK_NS 50000000LL

struct keyring {
	const char *folder;
	unsigned char seal[SEAL_KEY_BYTES];
	pthread_mutex_t lock; /* of all below */
	struct arena *arena;  /* of the keys */
	struct signing_key *keys;
	size_t count;
	struct timespec changed; /* the folder, when it was read */
	bool settled;            /* it was read long enough after that */
	bool missing;            /* and has been complained about */
	unsigned char known[KNOWN][DIGEST_BYTES];
};

static long long ns_between(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1000000000LL + (to->tv_nsec - from->tv_nsec);
}

/* A folder that is gone for a moment takes no key with it. */
static void miss(struct keyring *ring)
{
	if (!ring->missing)
		log_error("keys: %s: %s; going on with the keys there were", ring->folder,
		    strerror(errno));
	ring->missing = true;
}

static void read_again(struct keyring *ring, const struct timespec *changed)
{
	struct arena *arena = arena_new(16 << 10);
	struct signing_key *keys;
	struct timespec now;
	size_t count;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (!key_folder_read(arena, ring->folder, &keys, &count)) {
		miss(ring);
		arena_free(&arena);
		return;
	}
	if (ring->arena != NULL)
		arena_free(&ring->arena);
	ring->arena = arena;
	ring->keys = keys;
	ring->count = count;
	ring->changed = *changed;
	ring->settled = ns_between(changed, &now) > TICK_NS;
	ring->missing = false;
}

/* With the lock held. */
static void look(struct keyring *ring)
{
	struct stat folder;

	if (stat(ring->folder, &folder) != 0)
		miss(ring);
	else if (!ring->settled || ns_between(&ring->changed, &folder.st_mtim) != 0)
		read_again(ring, &folder.st_mtim);
}

struct keyring *keyring_open(const char *path)
{
	struct keyring *ring = calloc(1, sizeof(*ring));
	struct arena *arena = arena_new(4096);
	int folder = key_folder_lock(path);
	struct signing_key key;

	if (ring == NULL || folder < 0)
		die("keys: %s: %s", path, strerror(errno));
	ring->folder = path;
	pthread_mutex_init(&ring->lock, NULL);
	if (!key_folder_seal(arena, folder, ring->seal))
		die("keys: %s: no key to seal with", path);
	look(ring);
	if (ring->count == 0 && !key_folder_add(arena, folder, time(NULL), &key))
		die("keys: %s: %s", path, strerror(errno));
	close(folder);
	arena_free(&arena);
	return ring;
}

void keyring_close(struct keyring **ring)
{
	if (*ring == NULL)
		return;
	if ((*ring)->arena != NULL)
		arena_free(&(*ring)->arena);
	bytes_forget((*ring)->seal, SEAL_KEY_BYTES);
	pthread_mutex_destroy(&(*ring)->lock);
	free(*ring);
	*ring = NULL;
}

/* --- asking --- */

static void copy(struct arena *arena, const struct signing_key *from, struct signing_key *to)
{
	*to = *from;
	to->pem = arena_copy(arena, from->pem, strlen(from->pem));
	to->public_pem = arena_copy(arena, from->public_pem, strlen(from->public_pem));
}

/* KID is compared with names of keys and becomes part of no path. */
bool keyring_find(
    struct keyring *ring, struct arena *arena, const char *kid, struct signing_key *key)
{
	bool found = false;

	pthread_mutex_lock(&ring->lock);
	look(ring);
	for (size_t i = 0; i < ring->count && !found; i++) {
		found = strcmp(ring->keys[i].kid, kid) == 0;
		if (found)
			copy(arena, &ring->keys[i], key);
	}
	pthread_mutex_unlock(&ring->lock);
	return found;
}

bool keyring_signer(struct keyring *ring, struct arena *arena, struct signing_key *key)
{
	bool found;

	pthread_mutex_lock(&ring->lock);
	look(ring);
	found = ring->count > 0;
	if (found)
		copy(arena, &ring->keys[0], key);
	pthread_mutex_unlock(&ring->lock);
	return found;
}

size_t keyring_all(struct keyring *ring, struct arena *arena, struct signing_key **keys)
{
	size_t count;

	pthread_mutex_lock(&ring->lock);
	look(ring);
	count = ring->count;
	*keys = arena_alloc(arena, (count + 1) * sizeof(**keys));
	for (size_t i = 0; i < count; i++)
		copy(arena, &ring->keys[i], &(*keys)[i]);
	pthread_mutex_unlock(&ring->lock);
	return count;
}

const unsigned char *keyring_seal(const struct keyring *ring)
{
	return ring->seal;
}

/* --- signatures that were right --- */

static unsigned char *place_of(struct keyring *ring, const unsigned char *digest)
{
	return ring->known[(digest[0] | digest[1] << 8) % KNOWN];
}

bool keyring_knows(struct keyring *ring, const unsigned char digest[static DIGEST_BYTES])
{
	bool knows;

	pthread_mutex_lock(&ring->lock);
	knows = memcmp(place_of(ring, digest), digest, DIGEST_BYTES) == 0;
	pthread_mutex_unlock(&ring->lock);
	return knows;
}

void keyring_learn(struct keyring *ring, const unsigned char digest[static DIGEST_BYTES])
{
	pthread_mutex_lock(&ring->lock);
	memcpy(place_of(ring, digest), digest, DIGEST_BYTES);
	pthread_mutex_unlock(&ring->lock);
}
