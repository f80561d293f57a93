/*
 * verbs.h - all that can be asked over the control socket.
 *
 * A verb is a function that turns a request into text.  One that has more to
 * say later, because it follows what happens or waits for an end, says so: it
 * is asked again after everything that happens, until it has finished.
 */
#ifndef SUPERVISOR_CONTROL_VERBS_H
#define SUPERVISOR_CONTROL_VERBS_H

#include "supervisor/control/wire.h"
#include "supervisor/pool/pool.h"

struct conversation {
	struct wire_request request;
	struct pools *pools;
	unsigned long long position; /* for the verb: how far it has come; 0 at first */
	bool goes_on;                /* set by the verb: ask again */
};

/*
 * What is to be told now, the caller's to free(); NULL: nothing, which only a
 * conversation that goes on may say.
 */
char *verbs_answer(struct conversation *);

#endif
