/* faults.h - everything wrong with what was sent, gathered to be said at once. */
#ifndef CORE_INPUT_FAULTS_H
#define CORE_INPUT_FAULTS_H

#include "core/journey/request.h"

/* Where an input came from, as the problem says it. */
#define IN_BODY  "body"
#define IN_QUERY "query"

/* Adds what is wrong with the input NAME, which may be anything the client wrote. */
void fault_add(struct request *, const char *in, const char *name, const char *detail);

#endif
