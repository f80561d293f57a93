/*
 * cache.c - answers kept in Redis under leases.
 *
 * Of a key K there are two entries: K itself, the moments from which it is to be
 * renewed and is no longer fresh, a newline and the value; and "lease:K", the
 * token of whoever renews it.  A hit is a plain GET, which costs Redis a third
 * less than a script does; everything else is a script, because what it looks at
 * must not change before it acts.
 */
#include "store/cache.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/drops.h"
#include "store/script.h"

/* Room for two moments in milliseconds. */
#define HEADER 48

/*
 * KEYS: value, lease.  ARGV: token, lease_ms, how long a lease is worth waiting for,
 * "renew" or "".  Returns the value that came meanwhile; LEASED: the lease is the
 * caller's; WAIT: another has it; GO_ON: another has it and will not be done soon.
 */
static const char take_text[] =
    "if ARGV[4] == '' then local v = redis.call('GET', KEYS[1]) if v then return v end end "
    "if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end "
    "if redis.call('GET', KEYS[2]) == '" DROPS_HELD "' then return 3 end "
    "if ARGV[2] - redis.call('PTTL', KEYS[2]) > tonumber(ARGV[3]) then return 3 end "
    "return 2";
enum { LEASED = 1, WAIT, GO_ON };

/* KEYS: value, lease.  ARGV: token, value, ms.  The lease first: an error must not leave it. */
static const char put_text[] = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end "
			       "redis.call('DEL', KEYS[2]) "
			       "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1";

/* KEYS: lease.  ARGV: token. */
static const char release_text[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";

struct cache {
	struct redis *redis;
	const struct cache_options *options;
	struct drops *drops;
	struct script take, put, release;
	uint64_t nonce; /* of this process: no two leases have the same token */
	atomic_ullong leases;
};

struct cache *cache_open(struct redis *redis, const struct cache_options *options)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		die("out of memory");
	cache->redis = redis;
	cache->options = options;
	cache->drops = drops_new(redis);
	cache->take.text = take_text;
	cache->put.text = put_text;
	cache->release.text = release_text;
	if (getrandom(&cache->nonce, sizeof(cache->nonce), 0) != sizeof(cache->nonce))
		die("no random numbers to be had");
	return cache;
}

void cache_close(struct cache **cache)
{
	if (*cache == NULL)
		return;
	drops_free(&(*cache)->drops);
	free(*cache);
	*cache = NULL;
}

void cache_settle(struct cache *cache, struct arena *arena)
{
	if (!drops_settle(cache->drops, arena))
		log_debug("cache: there are keys still to be dropped");
}

void cache_forget(
    struct cache *cache, struct arena *arena, const char *const *keys, long long hold_ms)
{
	drops_make(cache->drops, arena, keys, hold_ms);
}

static long long now_ms(void)
{
	return clock_wall() / 1000;
}

/* --- reading --- */

/* Takes a reply of GET apart.  False: it is no value, or none of ours. */
static bool understand(const struct redis_reply *reply, struct cached *found, long long *renew_at)
{
	const char *newline;
	char *end;
	long long fresh_until;

	if (reply->kind != REDIS_TEXT)
		return false;
	newline = memchr(reply->text, '\n', reply->length);
	if (newline == NULL)
		return false;
	*renew_at = strtoll(reply->text, &end, 10);
	fresh_until = strtoll(end, &end, 10);
	if (end != newline)
		return false;
	found->text = newline + 1;
	found->length = reply->length - (size_t)(found->text - reply->text);
	found->age_ms = now_ms() - fresh_until;
	return true;
}

static void nap(long long ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* What the script says: LEASED, WAIT or GO_ON, or 0 for a value; GO_ON when Redis is gone. */
static int take_once(
    struct cache *cache, struct arena *arena, struct cached *found, const char *renew)
{
	char lease_ms[TEXT_INTEGER], wait_ms[TEXT_INTEGER];
	struct script_call call = { .keys = 2,
		.words = { found->key, drops_lease_name(arena, found->key), found->lease,
		    text_from_integer(lease_ms, cache->options->lease_ms),
		    text_from_integer(wait_ms, cache->options->wait_ms), renew } };
	struct redis_reply reply;
	long long renew_at;

	if (!script_run(cache->redis, arena, &cache->take, &call, &reply) ||
	    reply.kind == REDIS_ERROR) {
		found->why = CACHE_GONE;
		return GO_ON;
	}
	if (reply.kind == REDIS_INTEGER)
		return (int)reply.integer;
	return understand(&reply, found, &renew_at) ? 0 : GO_ON;
}

/*
 * Asks for the lease; while another has it and there is no value to serve, asks
 * again for a while.  Polling, because the other may be another process, and a
 * renewal takes about as long as the first pauses.
 */
static void take(struct cache *cache, struct arena *arena, struct cached *found, const char *renew)
{
	int64_t deadline = clock_now() + cache->options->wait_ms * 1000;
	int said;

	snprintf(found->lease, sizeof(found->lease), "%016llx.%llx",
	    (unsigned long long)cache->nonce, ++cache->leases);
	said = take_once(cache, arena, found, renew);
	for (long long ms = 1; said == WAIT && found->text == NULL; ms = ms < 8 ? ms * 2 : ms) {
		if (clock_now() >= deadline)
			break;
		nap(ms);
		said = take_once(cache, arena, found, "");
	}
	if (said == LEASED) {
		found->text = NULL;
		return;
	}
	found->lease[0] = '\0';
	if (found->why != CACHE_GONE)
		found->why = CACHE_BUSY;
}

bool cache_ask(
    struct cache *cache, struct arena *arena, struct cached *found, struct redis_command *command)
{
	found->why = CACHE_GONE;
	*command = (struct redis_command){ .words = { "GET", found->key } };
	return drops_settle(cache->drops, arena);
}

void cache_hear(
    struct cache *cache, struct arena *arena, struct cached *found, const struct redis_reply *reply)
{
	long long renew_at;

	if (reply == NULL)
		return;
	if (!understand(reply, found, &renew_at)) {
		found->why = CACHE_MISSING;
		/* What is no value of ours would be returned again: it is to be replaced. */
		take(cache, arena, found, reply->kind == REDIS_NOTHING ? "" : "renew");
	} else if (now_ms() >= renew_at) {
		found->why = CACHE_DUE;
		take(cache, arena, found, "renew");
	}
}

void cache_read(struct cache *cache, struct arena *arena, const char *key, struct cached *found)
{
	struct redis_command get;
	struct redis_reply reply;

	*found = (struct cached){ .key = key };
	if (cache_ask(cache, arena, found, &get))
		cache_hear(cache, arena, found,
		    redis_run(cache->redis, arena, 1, &get, &reply) ? &reply : NULL);
}

/* --- keeping --- */

/*
 * From which moment on one reader renews it while the others still take it: in
 * the last fifth of its time, each value at a moment of its own, so that values
 * made together are not renewed together.
 */
static long long renewed_early_by(const struct cached *lease, long long ms)
{
	unsigned long long hash = 14695981039346656037U; /* FNV-1a of the token */

	for (const char *c = lease->lease; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211U;
	return ms / 10 + (long long)(hash % (unsigned long long)(ms / 10 + 1));
}

bool cache_put(
    struct cache *cache, const struct cached *lease, const struct buffer *value, long long seconds)
{
	struct arena *arena = value->arena;
	long long ms = seconds * 1000, fresh_until = now_ms() + ms;
	char expiry[TEXT_INTEGER];
	struct script_call put = { .keys = 2,
		.words = { lease->key, drops_lease_name(arena, lease->key), lease->lease, NULL,
		    text_from_integer(expiry, ms + cache->options->stale_ms) } };
	struct redis_reply reply;
	struct buffer entry;

	if (lease->lease[0] == '\0' || !drops_settle(cache->drops, arena))
		return false;
	buffer_start(&entry, arena, value->length + HEADER);
	buffer_print(&entry, "%lld %lld\n", fresh_until - renewed_early_by(lease, ms), fresh_until);
	buffer_add(&entry, value->data, value->length);
	put.words[3] = entry.data;
	put.lengths[3] = entry.length;
	if (!script_run(cache->redis, arena, &cache->put, &put, &reply))
		return false;
	if (reply.kind == REDIS_ERROR)
		log_warn("cache: cannot keep %s: %s", lease->key, reply.text);
	return reply.kind == REDIS_INTEGER && reply.integer == 1;
}

void cache_release(struct cache *cache, struct arena *arena, const struct cached *lease)
{
	struct script_call release = { .keys = 1,
		.words = { drops_lease_name(arena, lease->key), lease->lease } };
	struct redis_reply reply;

	/* Should it not get through, the lease ends by itself. */
	if (lease->lease[0] != '\0' &&
	    !script_run(cache->redis, arena, &cache->release, &release, &reply))
		log_debug("cache: a lease of %s is left to its end", lease->key);
}
