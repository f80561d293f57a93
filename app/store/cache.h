/*
 * cache.h - answers kept in Redis for a while, dropped when they change.
 *
 * Without Redis everything is a miss.  A key that had to be forgotten while
 * Redis did not answer is remembered here and dropped as soon as it does, and
 * nothing is read before that: a writer's own process never serves the old value.
 * For the other processes the order to drop it is sent all the same: a Redis
 * that was only asleep carries it out when it wakes.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "base/buffer.h"
#include "store/redis.h"

struct cache;

struct cache *cache_open(struct redis *);
void cache_close(struct cache **);

/* The bytes under KEY, in the arena; NULL: not there. */
const char *cache_get(struct cache *, struct arena *, const char *key, size_t *length);
void cache_put(struct cache *, const char *key, const struct buffer *value, int seconds);
void cache_forget(struct cache *, struct arena *, const char *key);

/* Drops what could not be dropped before; cheap when there is nothing. */
void cache_settle(struct cache *, struct arena *);

#endif
