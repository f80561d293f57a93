/*
 * canary.h - a request that a new generation must answer before it serves.
 *
 * It goes to the generation's own socket, which no client knows yet.  One is made
 * for each worker that seems ready, and any of its generation may take it: so many
 * good answers are asked of them together.  All of it happens in the loop: nobody
 * waits, and a program that hangs costs its pool the time that canary_timeout says.
 */
#ifndef SUPERVISOR_PROCESS_CANARY_H
#define SUPERVISOR_PROCESS_CANARY_H

#include "supervisor/pool/pool.h"

/* Sends the request.  What becomes of it is found in worker->trial. */
void canary_send(struct loop *, struct worker *, int64_t now);

/* How it failed, as a sentence about the worker: "answered 500 to GET /". */
void canary_describe(const struct worker *, char text[static WORKER_CAUSE_ROOM]);

/* What the program wrote to its error output for a request that it failed, printable; or "". */
const char *canary_said(const struct worker *);

/* Takes what was said before the worker's end, for canary_said: the end is often heard first. */
void canary_hear_out(struct worker *);

/* Closes the connection and forgets the answer; the verdict stays. */
void canary_end(struct worker *);

#endif
