/*
 * wire.h - what goes over the control socket: a line of JSON each way.
 *
 * The client sends {"verb": "status"}; the answer is an object of the verb, or
 * {"error": "…"}.  This is the only file that knows JSON: texts returned are
 * the caller's to free().
 */
#ifndef SUPERVISOR_WIRE_H
#define SUPERVISOR_WIRE_H

#include "base/arena.h"
#include "base/attributes.h"

#include <stdbool.h>
#include <sys/types.h>

struct pools;

#define WIRE_REQUEST_MOST 4096 /* bytes, with its newline */
#define WIRE_VERB_ROOM    32

/* Whether TEXT is a request; its verb is copied out. */
bool wire_read_request(
    const char *text, size_t length, char verb[static WIRE_VERB_ROOM]) MUST_CHECK;
char *wire_request(const char *verb);

char *wire_error(const char *message);
char *wire_pid(pid_t);
char *wire_status(const struct pools *, pid_t, int64_t now);

/* An answer as ostlerctl shows it. */
struct wire_worker {
	long long slot, pid, restarts;
	double seconds; /* in this state */
	const char *state, *said;
};
struct wire_pool {
	const char *name, *kind, *state;
	struct wire_worker *worker;
	size_t count;
};
struct wire_answer {
	const char *error; /* NULL: it is none */
	long long pid;
	const char *state;
	struct wire_pool *pool;
	size_t count;
};

/* False: TEXT is no answer of ours.  What is missing stays 0 or "". */
bool wire_read_answer(
    struct arena *, const char *text, size_t length, struct wire_answer *) MUST_CHECK;

#endif
