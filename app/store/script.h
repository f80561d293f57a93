/*
 * script.h - a Lua script that Redis runs as one step, called by its SHA1.
 *
 * Redis keeps a script's text until it ends or is told to forget it, so a call
 * is a name of 40 letters and its words.  The first call of a process has the
 * text loaded; a Redis that knows no such script (NOSCRIPT: it was started anew,
 * or flushed) is given the text again.  Nothing of a script is done then, so
 * asking once more is safe.
 */
#ifndef STORE_SCRIPT_H
#define STORE_SCRIPT_H

#include <stdatomic.h>

#include "store/redis.h"

struct script {
	const char *text;
	atomic_int state; /* of sha; see script.c */
	char sha[41];
};

/* A call: KEYS of the words are its KEYS[1], KEYS[2], …, the rest its ARGV[1], … */
#define SCRIPT_WORDS_MOST (REDIS_WORDS_MOST - 3)
struct script_call {
	size_t keys;
	const char *words[SCRIPT_WORDS_MOST]; /* ends with NULL unless all are used */
	size_t lengths[SCRIPT_WORDS_MOST];    /* as in a redis_command */
};

/*
 * The call as a command, for a round trip that carries others' too.  To a reply
 * for which script_is_unknown, run the call by itself.
 */
struct redis_command script_command(
    struct redis *, struct arena *, struct script *, const struct script_call *);
bool script_is_unknown(const struct redis_reply *);

/* One round trip, two when Redis had to be told the text.  False: as redis_run. */
bool script_run(struct redis *, struct arena *, struct script *, const struct script_call *,
    struct redis_reply *) MUST_CHECK;

#endif
