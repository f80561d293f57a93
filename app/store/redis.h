/*
 * redis.h - Redis for a whole process; the only door to hiredis.
 *
 * A bounded pool of connections, each call one round trip however many commands
 * it carries.  Redis holds nothing that cannot be had elsewhere, so no caller
 * waits for it: a call ends within the timeout, and after a failure a breaker
 * answers "no" at once until it is time to try again.
 */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct redis;

struct redis_options {
	const char *name;      /* of this Redis in the log; NULL: "redis" */
	const char *address;   /* "/path/of.sock" or "host:port"; NULL or "": no Redis at all */
	long long connections; /* at most so many */
	long long timeout_ms;  /* of connecting, and of each call */
	long long retry_ms;    /* after a failure Redis is asked again then */
	bool once; /* a call that was cut off, but may have been heard, is not made again */
};

/* The most words of a command: those of the longest script call, and a few keys to drop. */
#define REDIS_WORDS_MOST 16

struct redis_command {
	const char *words[REDIS_WORDS_MOST]; /* ends with NULL unless all are used */
	size_t lengths[REDIS_WORDS_MOST];    /* 0: the word is text and ends with its NUL */
	const char *const *more; /* further words, all text, NULL-terminated; NULL: none */
};

struct redis_reply {
	enum { REDIS_NOTHING, REDIS_TEXT, REDIS_INTEGER, REDIS_LIST, REDIS_ERROR } kind;
	const char *text; /* REDIS_TEXT and REDIS_ERROR: NUL-terminated, in the arena */
	size_t length;    /* bytes of the text, or how many stand in the list */
	long long integer;
	struct redis_reply *list; /* REDIS_LIST: what a script returned, in its order */
};

struct redis *redis_open(const struct redis_options *);
void redis_close(struct redis **);

/* Runs COUNT commands in one round trip.  False: Redis is not to be had, replies are unset. */
bool redis_run(struct redis *, struct arena *, size_t count, const struct redis_command *,
    struct redis_reply *) MUST_CHECK;

/*
 * The same for what must not be lost: on a connection of its own, even while the
 * breaker is open.  False: not answered within the timeout; a Redis that is only
 * asleep still finds the commands among the first things when it wakes.
 */
bool redis_insist(struct redis *, struct arena *, size_t count, const struct redis_command *,
    struct redis_reply *) MUST_CHECK;

#endif
