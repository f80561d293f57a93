/*
 * cache.h - answers kept in Redis for a while, never older than a change that was acknowledged.
 *
 * A reader that finds nothing is handed a lease, asks the database, and may put
 * what it found only while its lease stands.  A writer drops value and lease
 * together, after its COMMIT and before its answer leaves.  So what is put was
 * read after every change whose answer has left: a reader that asked before has
 * lost its lease.  (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013.)
 *
 * One lease stands at a time.  Others are served the value that is being renewed;
 * where there is none they wait a moment, and then ask the database themselves.
 *
 * Without Redis everything is a miss.  A key that had to be dropped while Redis
 * did not answer is remembered and dropped as soon as it does, and nothing is
 * read before that: a writer's own process never serves the old value.  Another
 * process can only when its Redis answers it and did not answer the writer, twice
 * and for cache_timeout each: a network that is split between two hosts.  Then the
 * old value lasts until the writer reaches Redis again, and no longer than it lives.
 *
 * A writer that is killed between its COMMIT and its drop has acknowledged nothing,
 * and the old value lasts as long as it lives.  Who asks again under the same
 * Idempotency-Key is answered, and the drop is made then.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "base/buffer.h"
#include "store/redis.h"

struct cache;

struct cache_options {
	long long wait_ms;  /* for the one who renews what is missing */
	long long lease_ms; /* renewing ends by then, or may be begun by another */
	long long stale_ms; /* a value is kept so much longer, to be served while it is renewed */
};

#define CACHE_TOKEN 36 /* room for a lease's */

/* What was found under a key, and what the reader is to do. */
struct cached {
	const char *key;
	/* The value, in the arena; NULL: there is none, or the reader is to renew it. */
	const char *text;
	size_t length;
	long long age_ms; /* of the value beyond its freshness; <= 0: it is fresh */
	/* Why there is none. */
	enum { CACHE_MISSING, CACHE_DUE, CACHE_BUSY, CACHE_GONE } why;
	char lease[CACHE_TOKEN]; /* "": none, nothing may be put */
};

/* OPTIONS stay the caller's and must outlive the cache. */
struct cache *cache_open(struct redis *, const struct cache_options *);
void cache_close(struct cache **);

/*
 * The two halves of cache_read, for a round trip that carries others' questions
 * too.  False: Redis must not be believed yet, and there is nothing to ask.
 */
bool cache_ask(struct cache *, struct arena *, struct cached *, struct redis_command *) MUST_CHECK;
/* What GET replied; NULL: Redis is not to be had.  A reader that is to renew costs a round trip. */
void cache_hear(struct cache *, struct arena *, struct cached *, const struct redis_reply *);

/* One round trip for what is there; a reader that is to renew costs a second.  KEY stays the
 * caller's. */
void cache_read(struct cache *, struct arena *, const char *key, struct cached *);

/* Keeps VALUE if the lease still stands, and ends the lease.  False: it is not kept. */
bool cache_put(
    struct cache *, const struct cached *, const struct buffer *value, long long seconds);

/* Ends a lease without a value: the next reader need not wait for it. */
void cache_release(struct cache *, struct arena *, const struct cached *);

/*
 * Drops the NULL-terminated KEYS, values and leases, in one round trip.  HOLD_MS:
 * so long nothing is put there, because a change whose end nobody knows may yet
 * come to pass; 0: at once.
 */
void cache_forget(struct cache *, struct arena *, const char *const *keys, long long hold_ms);

/* Drops what could not be dropped before; cheap when there is nothing. */
void cache_settle(struct cache *, struct arena *);

#endif
