/*
 * kept.c - answers that come from the cache, and what becomes of them.
 *
 * What is kept of an answer is a line with its status, ETag and cursor, and its
 * body: all that the rest of the head is made of anew.  Of a 404 only the status
 * is kept, since its body names the request.
 */
#include "core/answer/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer/kept_key.h"
#include "core/answer/problem.h"
#include "core/journey/counts.h"

/* Stands in the line for what an answer does not have. */
#define NONE "-"

/* A key that a change has made wrong. */
struct drop {
	const char *key;
	struct drop *next;
};

/* --- out of the cache --- */

/* Cache-Status (RFC 9211): why it was not answered from the cache, by cached.why. */
static const char *const fwd[] = {
	[CACHE_MISSING] = "ostler; fwd=miss",
	[CACHE_DUE] = "ostler; fwd=stale",
	[CACHE_BUSY] = "ostler; fwd=miss; detail=busy",
	[CACHE_GONE] = "ostler; fwd=miss; detail=unavailable",
};

/* A word of the line, NUL-terminated; NULL when it is NONE.  *LINE goes behind it. */
static const char *take_word(struct arena *arena, const char **line, const char *end)
{
	const char *word = *line, *blank = memchr(word, ' ', (size_t)(end - word));
	size_t length = (size_t)((blank != NULL ? blank : end) - word);

	*line = word + length + (blank != NULL);
	if (length == 0 || (length == 1 && *word == NONE[0]))
		return NULL;
	return arena_copy(arena, word, length);
}

/* The answer as it was kept; 0: it is of no form that we know. */
static int restore(struct request *rq, const char *text, size_t length)
{
	const char *end = memchr(text, '\n', length), *line = text;
	struct response *response = &rq->response;
	const char *status;

	if (end == NULL)
		return 0;
	status = take_word(rq->arena, &line, end);
	if (status != NULL && strcmp(status, "404") == 0)
		return reply_missing(rq);
	if (status == NULL || strcmp(status, "200") != 0)
		return 0;
	response->etag = take_word(rq->arena, &line, end);
	response->next = take_word(rq->arena, &line, end);
	response->status = 200;
	response->media = "application/json";
	buffer_add(&response->body, end + 1, length - (size_t)(end + 1 - text));
	return 200;
}

static void say_hit(struct request *rq, long long age_ms)
{
	counts_add(rq, COUNT_CACHE_HITS);
	if (age_ms <= 0)
		reply_header(rq, "Cache-Status", "ostler; hit");
	else
		reply_header(rq, "Cache-Status",
		    arena_print(rq->arena, "ostler; hit; ttl=-%lld", (age_ms + 999) / 1000));
}

bool kept_is_asked(struct request *rq)
{
	bool wrong = rq->response.status != 0 || rq->faults.count > 0;

	/* What is kept is JSON. */
	return !wrong && rq->route->cached.key != NULL && kept_key_names_all(rq) && !csv_asked(rq);
}

bool kept_ask(struct request *rq, struct redis_command *command)
{
	if (!kept_is_asked(rq))
		return false;
	rq->cached.key = kept_key(rq, rq->route->cached.key);
	return cache_ask(rq->app->cache, rq->arena, &rq->cached, command);
}

struct kept_halves kept_halves(struct request *rq)
{
	const char *template = rq->route->cached.key, *user = strstr(template, KEPT_USER);
	size_t length = user != NULL ? (size_t)(user - template) : strlen(template);

	return (
	    struct kept_halves){ .before = kept_key(rq, arena_copy(rq->arena, template, length)),
		.after = user != NULL ? kept_key(rq, user + strlen(KEPT_USER)) : NULL };
}

void kept_hear(struct request *rq, const struct redis_reply *reply)
{
	rq->cached.key = kept_key(rq, rq->route->cached.key);
	cache_hear(rq->app->cache, rq->arena, &rq->cached, reply);
}

int stage_find(struct request *rq)
{
	struct cached *cached = &rq->cached;
	int status = 0;

	if (cached->key == NULL)
		return 0;
	if (cached->text != NULL)
		status = restore(rq, cached->text, cached->length);
	if (status != 0) {
		say_hit(rq, cached->age_ms);
		return status;
	}
	counts_add(rq, COUNT_CACHE_MISSES);
	reply_header(rq, "Cache-Status", fwd[cached->why]);
	return 0;
}

/* --- into the cache --- */

/* How long the answer may be kept; 0: not at all. */
static int seconds_of(const struct request *rq)
{
	switch (rq->response.status) {
	case 200:
		return rq->route->cached.seconds;
	case 404:
		return rq->route->cached.missing_seconds;
	default:
		return 0;
	}
}

void kept_release(struct request *rq)
{
	if (rq->cached.lease[0] == '\0')
		return;
	cache_release(rq->app->cache, rq->arena, &rq->cached);
	rq->cached.lease[0] = '\0';
}

static void keep(struct request *rq)
{
	const struct response *response = &rq->response;
	int seconds = seconds_of(rq);
	struct buffer kept;

	if (seconds == 0) {
		kept_release(rq);
		return;
	}
	buffer_start(&kept, rq->arena, response->body.length + 256);
	buffer_print(&kept, "%d %s %s\n", response->status,
	    response->etag != NULL ? response->etag : NONE,
	    response->next != NULL ? response->next : NONE);
	if (response->status == 200)
		buffer_add(&kept, response->body.data, response->body.length);
	cache_put(rq->app->cache, &rq->cached, &kept, seconds);
	rq->cached.lease[0] = '\0';
}

/* --- drops --- */

void cache_drop(struct request *rq, const char *key)
{
	struct drop *drop = arena_alloc(rq->arena, sizeof(*drop));

	*drop = (struct drop){ key, rq->drops };
	rq->drops = drop;
	rq->drops_count++;
}

static void add_drops_of_route(struct request *rq)
{
	/* Whatever was answered: a handler that says no may have changed something before. */
	for (const char *const *key = rq->route->drops; key != NULL && *key != NULL; key++)
		cache_drop(rq, kept_key(rq, *key));
}

/*
 * Whether a change may still come to pass: the database stopped answering, so
 * that it may have been told to COMMIT and not have done it yet.
 */
static bool is_undecided(const struct request *rq)
{
	return rq->failure == LOST || rq->failure == SILENT;
}

static void make_drops(struct request *rq)
{
	const char **keys = arena_alloc(rq->arena, (rq->drops_count + 1) * sizeof(*keys));
	size_t count = 0;

	for (const struct drop *drop = rq->drops; drop != NULL; drop = drop->next)
		keys[count++] = drop->key;
	cache_forget(
	    rq->app->cache, rq->arena, keys, is_undecided(rq) ? rq->app->cache_hold_ms : 0);
}

void kept_settle(struct request *rq)
{
	int64_t asked;

	add_drops_of_route(rq);
	if (rq->drops_count == 0 && rq->cached.lease[0] == '\0')
		return;
	asked = clock_now();
	if (rq->cached.lease[0] != '\0')
		keep(rq);
	if (rq->drops_count > 0)
		make_drops(rq);
	rq->redis_us += clock_now() - asked;
}
