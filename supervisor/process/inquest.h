/*
 * inquest.h - why does a worker hang?  Somebody is sent to look, and what he has seen is told.
 *
 * First a witness, for the native stacks of all threads; then the pool's
 * trace_command, if it has one, for what only a language itself knows of its
 * stacks.  Both together have a limit, when what they have seen by then is told,
 * and the loop never waits for them.
 */
#ifndef SUPERVISOR_PROCESS_INQUEST_H
#define SUPERVISOR_PROCESS_INQUEST_H

#include "supervisor/process/spawn.h"
#include "supervisor/record/testimony.h"

enum inquest_reason {
	INQUEST_REQUEST_TIMEOUT, /* it is going to be asked to end: its request takes too long, */
	INQUEST_READY_TIMEOUT,   /* it is not ready in time, */
	INQUEST_CANARY_TIMEOUT,  /* it has not answered its canary in time, */
	INQUEST_DRAIN_TIMEOUT,   /* or it has not finished in time */
	INQUEST_STOP_TIMEOUT,    /* it was asked to end, and is going to be killed */
	INQUEST_SLOW_REQUEST,    /* nothing is done to it */
	INQUEST_ASKED            /* by a person; nothing is done to it */
};

struct inquests;

struct inquest_wish {
	enum inquest_reason reason;
	const char *request; /* that the worker has in hand, in words; "": none is known */
	int64_t until;       /* clock_now: the limit */
};

struct inquests *inquests_open(struct arena *, struct spawner *);

/* Ends all that are under way, without a word. */
void inquests_close(struct inquests **);

/*
 * Sends a witness to the worker's process; worker->inquest is set until all is
 * told.  Returns the number of the inquest, that under way if there is one already,
 * or 0: nobody could be sent, and *WRONG is a sentence why.
 */
unsigned long long inquest_begin(
    struct inquests *, struct worker *, const struct inquest_wish *, const char **wrong) MUST_CHECK;

/* The worker's process is dead, or is killed now: what was seen so far is told. */
void inquest_end(struct worker *);

/* Ends those whose time is up.  Returns when to be called again at the latest. */
int64_t inquests_tick(struct inquests *, int64_t now);

/* Whether somebody is being looked at. */
bool inquests_are_under_way(const struct inquests *);

/* Whether PID was one of those who look. */
bool inquests_has_died(struct inquests *, pid_t pid);

enum inquest_state { INQUEST_UNDER_WAY, INQUEST_ENDED, INQUEST_FORGOTTEN };

/* What came of that NUMBER.  ENDED: *FOUND is filled in, and stays until the next is begun. */
enum inquest_state inquests_find(
    const struct inquests *, unsigned long long number, struct trace *found) MUST_CHECK;

#endif
