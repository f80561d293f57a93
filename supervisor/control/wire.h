/*
 * wire.h - what goes over the control socket: a line of JSON each way.
 *
 * The client sends {"verb": "status"}; the answer is an object of the verb, or
 * {"error": "…"}; some verbs answer with many, a line each.  This is the only file that knows JSON:
 * texts returned are the caller's to free().
 */
#ifndef SUPERVISOR_CONTROL_WIRE_H
#define SUPERVISOR_CONTROL_WIRE_H

#include "base/arena.h"
#include "base/attributes.h"

#include <stdbool.h>
#include <sys/types.h>

struct pools;
struct worker;

#define WIRE_REQUEST_MOST 4096 /* bytes, with its newline */
#define WIRE_WORD_ROOM    64

/* What a client asks; what a verb has no use for is "" or 0. */
struct wire_request {
	char verb[WIRE_WORD_ROOM];
	char pool[WIRE_WORD_ROOM];
	char until[WIRE_WORD_ROOM]; /* how long to wait for what was asked */
	long long number;
	bool follow; /* go on telling what happens */
};

/* Whether TEXT is a request; it is filled in. */
bool wire_read_request(const char *text, size_t length, struct wire_request *) MUST_CHECK;
char *wire_request(const struct wire_request *);

char *wire_copy(const char *text, size_t length); /* an answer that is no JSON */
char *wire_nothing(void);                         /* an answer of no lines */
/* LINE, which is consumed, behind the LENGTH bytes of TEXT, which may be NULL; returns the whole.
 */
char *wire_append(char *text, size_t *length, char *line);

char *wire_error(const char *message);
char *wire_say(const char *text); /* {"text": "…"}: for people */
char *wire_pid(pid_t);
char *wire_status(const struct pools *, pid_t, int64_t now);

/* Each event as a line; of none, no line. */
struct event;
char *wire_events(const struct event *const *list, size_t count);

/* An event as ostlerctl shows it. */
struct wire_event {
	long long number, generation, slot, pid;
	double retry_in; /* seconds; negative: it does not apply */
	char time[32], name[WIRE_WORD_ROOM], pool[WIRE_WORD_ROOM], text[512];
};
bool wire_read_event(const char *line, size_t length, struct wire_event *) MUST_CHECK;

/* A line that a worker printed; its text may have NULs in it. */
struct recent_line;
char *wire_line_printed(const struct recent_line *, const char *text);
struct wire_printed {
	long long slot, pid;
	const char *time, *pool, *text;
	size_t length;
	bool goes_on; /* the next line is the rest of this one */
};
bool wire_read_printed(
    struct arena *, const char *line, size_t length, struct wire_printed *) MUST_CHECK;

/*
 * What is in force for a worker's process, read from /proc, as a line; NULL: it
 * has no process.  ostlerctl shows each trait by its name and as text.
 */
char *wire_show(const struct worker *);
struct wire_trait {
	const char *name, *text;
};
struct wire_shown {
	const char *pool, *state;
	long long slot, pid, generation;
	struct wire_trait *trait;
	size_t count;
};
bool wire_read_shown(
    struct arena *, const char *line, size_t length, struct wire_shown *) MUST_CHECK;

/* What was seen of a worker's process, as a line. */
struct trace;
char *wire_trace(const struct trace *);
bool wire_read_trace(struct arena *, const char *line, size_t length, struct trace *) MUST_CHECK;

/* The message of an answer {"error": "…"}; or NULL: it is none. */
const char *wire_read_error(struct arena *, const char *line, size_t length);
const char *wire_read_text(struct arena *, const char *line, size_t length); /* {"text": "…"} */

/* An answer as ostlerctl shows it. */
struct wire_worker {
	long long slot, pid, restarts;
	double seconds; /* in this state */
	const char *state, *said;
	double busy, memory, requests; /* threads, bytes, number; -1: unknown */
	const char *method, *route;
	double request_seconds; /* of the oldest request in hand; -1: none is */
};
struct wire_pool {
	const char *name, *kind, *state;
	double busy, idle, queue, memory, requests, rate; /* -1: unknown */
	double p50, p95, p99;                             /* milliseconds; -1: of no request */
	long long min, max; /* of the workers; max 0: their number is fixed */
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
