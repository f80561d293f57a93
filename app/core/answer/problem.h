/* problem.h - errors as problem+json (RFC 9457). */
#ifndef CORE_ANSWER_PROBLEM_H
#define CORE_ANSWER_PROBLEM_H

#include "core/journey/request.h"

/* The answer for a statement that failed; remembered in rq->failure. */
int problem_of_failure(struct request *);

/* Adds a line to the answer's head. */
void reply_header(struct request *, const char *name, const char *value);

#endif
