/*
 * child.h - from fork to exec: what a new process does to become a worker.
 *
 * Everything it needs is made before fork(2); between fork and exec only
 * async-signal-safe functions are called (signal-safety(7)).
 */
#ifndef SUPERVISOR_PROCESS_CHILD_H
#define SUPERVISOR_PROCESS_CHILD_H

#include <sys/types.h>

#include "base/attributes.h"

struct confinement;
struct identity;

struct child_plan {
	const char *program; /* absolute path */
	const char *const *arguments;
	char *const *environment;
	int input;          /* becomes descriptor 0; -1: /dev/null */
	int scoreboard;     /* stays open under its number; -1: none */
	int output;         /* becomes descriptors 1 and 2; -1: /dev/null */
	const char *direct; /* file that becomes descriptor 1 instead; NULL: none */
	mode_t umask;
	const struct confinement *confinement;
	int ruleset; /* of confinement_open_files */
	const struct identity *who;
	const char *directory; /* NULL: stays where the master is */
	int death_signal;      /* comes when the master dies */
	pid_t master;
};

/* What the child could not do: on the report pipe, nothing means that exec succeeded. */
struct child_failure {
	int step;
	int error; /* errno */
};

/*
 * Becomes the worker, or writes a struct child_failure to REPORT (-1: nowhere)
 * and exits with 127.  Is called with all signals blocked.
 */
void child_become(const struct child_plan *, int report) NO_RETURN;

/* "execute", "open output": completes "cannot …". */
const char *child_step_name(int step);

#endif
