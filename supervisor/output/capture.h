/*
 * capture.h - what workers print: taken from a pipe, cut into lines, passed on.
 *
 * Each process has a pipe for its standard output and error.  Its lines go to
 * the pool's `output` file, or to standard error, and to the recent lines for
 * ostlerctl.  A line is bounded: one that is longer is passed on in pieces.  The
 * pipe may outlive the process, in the hands of others that it has left behind;
 * it is listened to until its end, but only so many of that kind at a time.
 */
#ifndef SUPERVISOR_OUTPUT_CAPTURE_H
#define SUPERVISOR_OUTPUT_CAPTURE_H

#include <sys/types.h>

#include "base/arena.h"
#include "supervisor/system/loop.h"

struct capture;
struct captures;
struct worker;

struct captures *captures_new(struct arena *, struct loop *);
void captures_close(struct captures **);

/*
 * A pipe for the process that WORKER is to get; *WRITE_END, closed on exec, is
 * for the child.  NULL with errno set.
 */
struct capture *capture_open(struct captures *, const struct worker *, int *write_end) MUST_CHECK;

/* The process is there; or could not be made: then all is forgotten. */
void capture_begins(struct capture *, pid_t);
void capture_forget(struct capture **);

/* Takes what is in the pipe; called when the process has ended, before that is told. */
void capture_drain(struct capture *);

/* The process is buried: from now on the capture looks after itself. */
void capture_leave(struct capture **);

/* Tells how many lines were lost where they can be written again. */
void captures_tell_losses(struct captures *);

/*
 * Hand over one, or those of processes that have ended, or take them from a master
 * before us: upgrade/state.h.  NULL is fine: there is none.
 */
struct state;
struct capture *capture_pass(struct state *, struct captures *, struct capture *);
void captures_pass(struct state *, struct captures *);

/* The last lines of the process, oldest first, printable; NULL behind the last, or of no capture.
 */
const char *capture_last(const struct capture *, size_t index);

#endif
