/*
 * witness.h - a process of its own that looks where another one is, and writes it down.
 *
 * It is a helper because the look may take long, or never end: the kernel may be
 * busy with a thread, a file that tells names may lie on a disk that hangs.  Who
 * called it may kill it at any moment; whatever it has stopped then goes on.
 */
#ifndef SUPERVISOR_PROCESS_WITNESS_H
#define SUPERVISOR_PROCESS_WITNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"

struct witness_wish {
	pid_t pid;     /* of the process to look at */
	pid_t master;  /* without whom it is of no use to anybody */
	bool doomed;   /* the process is about to be ended: nothing can do it harm any more */
	int64_t until; /* clock_now: what is not seen by then is not seen */
};

/* What the child of a fork does: writes a testimony (record/testimony.h) to OUT and exits. */
void witness_look(const struct witness_wish *, int out) NO_RETURN;

#endif
