/*
 * control.h - the control socket: answers ostlerctl.
 *
 * A client sends one line and gets one or more (wire.h).  None can hold up the
 * master: nothing blocks, a request and each piece of an answer have their
 * deadlines, and when all places are taken the client that has been there
 * longest, without being told something at length, loses its.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "supervisor/pool/pool.h"

struct control;

/* Listens at PATH for our own user and root.  NULL: *WRONG is a sentence in the arena. */
struct control *control_open(
    struct arena *, const char *path, struct loop *, struct pools *, const char **wrong) MUST_CHECK;
void control_close(struct control **);

/*
 * Hands it over with all its clients, who notice nothing; NULL: it cannot be taken from a
 * master before us.  upgrade/state.h
 */
struct state;
void control_hand_over(struct state *, const struct control *);
struct control *control_take_over(
    struct state *, struct arena *, struct loop *, struct pools *) MUST_CHECK;

/*
 * Tells those who follow what has happened meanwhile, and ends clients whose
 * time is up.  Returns when the next one's will be.
 */
int64_t control_tick(struct control *, int64_t now);

#endif
