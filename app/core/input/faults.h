/* faults.h - everything wrong with what was sent, gathered to be said at once. */
#ifndef CORE_INPUT_FAULTS_H
#define CORE_INPUT_FAULTS_H

#include "core/journey/request.h"

/* Where an input came from, as the problem says it. */
#define IN_BODY   "body"
#define IN_QUERY  "query"
#define IN_HEADER "header"

/*
 * A place in what was sent, as the way to it: a name, or an index where NAME is
 * NULL, below the step above.  It lives on the stack of whoever walks down, and
 * becomes a pointer (RFC 6901) only when something is wrong there.
 */
struct step {
	const struct step *above; /* NULL: the top */
	const char *name;         /* anything the client wrote */
	size_t index;
};

/* Adds what is wrong at AT; NULL is the whole of what was sent. */
void fault_add(struct request *, const char *in, const struct step *at, const char *detail);

/* Whether there are as many as are told: whoever finds more may stop looking. */
bool faults_suffice(const struct request *);

#endif
