/*
 * place.h - the right to the path of a unix socket, which one generation leaves to the next.
 *
 * It is a lock on a file beside the path, against a second master.
 */
#ifndef SUPERVISOR_SYSTEM_PLACE_H
#define SUPERVISOR_SYSTEM_PLACE_H

#include "base/arena.h"

struct place;
struct state;

/* NULL: somebody else has it, and *WRONG is a sentence in the arena. */
struct place *place_take(struct arena *, const char *path, const char **wrong) MUST_CHECK;

/* One more has it; the last to leave lets go of it. */
struct place *place_hold(struct place *);
void place_leave(struct place **);

/* Hands it over, or takes it from a master before us: upgrade/state.h. */
struct place *place_pass(struct state *, struct place *);

#endif
