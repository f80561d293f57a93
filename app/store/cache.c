/*
 * cache.c - answers kept in Redis for a while, dropped when they change.
 *
 * A DEL that did not get through would leave the old answer in place for as long
 * as it lives.  Such keys wait here, and everything that is read goes past them:
 * first they are dropped, then Redis is believed again.
 */
#include "store/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Past so many keys in waiting the whole cache is dropped instead. */
#define WAITING_MOST 1024

struct cache {
	struct redis *redis;
	pthread_mutex_t lock;
	atomic_int waiting; /* how many keys below; WAITING_MOST: everything */
	char *keys[WAITING_MOST];
};

struct cache *cache_open(struct redis *redis)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		die("out of memory");
	cache->redis = redis;
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void cache_close(struct cache **cache)
{
	if (*cache == NULL)
		return;
	for (int i = 0; i < WAITING_MOST; i++)
		free((*cache)->keys[i]);
	pthread_mutex_destroy(&(*cache)->lock);
	free(*cache);
	*cache = NULL;
}

static bool forget_now(struct cache *cache, struct arena *arena, const char *key)
{
	struct redis_reply reply;

	return redis_run(
	    cache->redis, arena, 1, &(struct redis_command){ .words = { "DEL", key } }, &reply);
}

static void remember(struct cache *cache, const char *key)
{
	int waiting;

	pthread_mutex_lock(&cache->lock);
	waiting = cache->waiting;
	if (waiting < WAITING_MOST) {
		free(cache->keys[waiting]);
		cache->keys[waiting] = strdup(key);
		cache->waiting = cache->keys[waiting] != NULL ? waiting + 1 : WAITING_MOST;
	}
	pthread_mutex_unlock(&cache->lock);
}

/* Lock held. */
static bool drop_all_waiting(struct cache *cache, struct arena *arena)
{
	struct redis_reply reply;

	if (cache->waiting >= WAITING_MOST) {
		if (!redis_run(cache->redis, arena, 1,
			&(struct redis_command){ .words = { "FLUSHDB" } }, &reply))
			return false;
		cache->waiting = 0;
	}
	while (cache->waiting > 0) {
		if (!forget_now(cache, arena, cache->keys[cache->waiting - 1]))
			return false;
		cache->waiting--;
	}
	return true;
}

static bool settled(struct cache *cache, struct arena *arena)
{
	bool done;

	if (cache->waiting == 0)
		return true;
	pthread_mutex_lock(&cache->lock);
	done = drop_all_waiting(cache, arena);
	pthread_mutex_unlock(&cache->lock);
	return done;
}

void cache_settle(struct cache *cache, struct arena *arena)
{
	if (settled(cache, arena))
		return;
	log_debug("cache: %d keys still to be dropped", cache->waiting);
}

const char *cache_get(struct cache *cache, struct arena *arena, const char *key, size_t *length)
{
	struct redis_reply reply;

	if (!settled(cache, arena) ||
	    !redis_run(
		cache->redis, arena, 1, &(struct redis_command){ .words = { "GET", key } }, &reply))
		return NULL;
	if (reply.kind != REDIS_TEXT)
		return NULL;
	*length = reply.length;
	return reply.text;
}

void cache_put(struct cache *cache, const char *key, const struct buffer *value, int seconds)
{
	struct redis_command set = { .words = { "SET", key, value->data, "EX", NULL },
		.lengths = { [2] = value->length } };
	struct redis_reply reply;
	char expiry[16];

	/* An empty value would have length 0, which stands for text here; nobody caches one. */
	if (value->length == 0 || !settled(cache, value->arena))
		return;
	snprintf(expiry, sizeof(expiry), "%d", seconds);
	set.words[4] = expiry;
	if (redis_run(cache->redis, value->arena, 1, &set, &reply) && reply.kind == REDIS_ERROR)
		log_warn("cache: cannot keep %s: %s", key, reply.text);
}

void cache_forget(struct cache *cache, struct arena *arena, const char *key)
{
	if (forget_now(cache, arena, key))
		return;
	/* This process drops it before it reads again; other processes do not know. */
	redis_send(cache->redis, &(struct redis_command){ .words = { "DEL", key } });
	remember(cache, key);
}
