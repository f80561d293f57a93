/*
 * examiner.h - asks the program of a next ostlerd whether it can take a state over.
 *
 * It runs in a child, with everything in its hands that it would have as the
 * master, and does all that it would do but act.  So nothing that it does wrong
 * harms anybody: it may crash, hang, or be no ostlerd at all.  It says yes by
 * telling the state's token, which only one can who has read it.
 */
#ifndef SUPERVISOR_UPGRADE_EXAMINER_H
#define SUPERVISOR_UPGRADE_EXAMINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/system/loop.h"

struct ending;
struct examiner;
struct state;

/* The arguments of ostlerd, before the descriptor of a state: to look at it, and to take it over.
 */
#define EXAMINER_CHECK "--check-handover"
#define EXAMINER_TAKE  "--handover"

struct candidate {
	const char *program; /* absolute path */
	const char *file;    /* of the configuration, as ostlerd was told */
};

/* Begins.  NULL with errno set: there could be no child. */
struct examiner *examiner_begin(
    struct loop *, const struct candidate *, const struct state *) MUST_CHECK;

/* Its child has ended like this, and is not reaped yet; false: PID is not it. */
bool examiner_hear_end(struct examiner *, pid_t, const struct ending *);

/* Waits for the end until DEADLINE (a clock_now), while everything else stands still. */
void examiner_wait(struct examiner *, int64_t deadline);

bool examiner_has_ended(const struct examiner *);

#define EXAMINER_TEXT 1024

/* Once it has ended: NULL, the state can be taken over; or why not, as a sentence, in TEXT. */
const char *examiner_verdict(const struct examiner *, char text[static EXAMINER_TEXT]);

/* Kills what is left of it. */
void examiner_free(struct examiner **);

/* What the other side says: yes. */
void examiner_say_yes(const struct state *);

#endif
