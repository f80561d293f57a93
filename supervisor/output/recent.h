/*
 * recent.h - the lines that workers have printed lately, for `ostlerctl logs`.
 *
 * A ring of bytes of fixed size, one for the program: the oldest lines give way
 * to the newest.
 */
#ifndef SUPERVISOR_OUTPUT_RECENT_H
#define SUPERVISOR_OUTPUT_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RECENT_POOL_ROOM 64

struct recent_line {
	unsigned long long number; /* from 1, without gaps; recent_add sets it */
	int64_t wall;              /* clock_wall */
	char pool[RECENT_POOL_ROOM];
	size_t slot;
	pid_t pid;
	bool goes_on;  /* the worker's line was longer: the next piece of it follows */
	size_t length; /* of the text behind it */
};

void recent_add(const struct recent_line *, const char *text);

/* Hands all over, or takes them from a master before us: upgrade/state.h. */
struct state;
void recent_pass(struct state *);

unsigned long long recent_newest(void); /* 0: none yet */

/*
 * The first line that is kept and has at least this number, and its text, which
 * is not NUL-terminated; NULL: there is none.  Both stay until the next is added.
 */
const struct recent_line *recent_from(unsigned long long number, const char **text);

#endif
