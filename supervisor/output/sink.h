/*
 * sink.h - where lines go, without ever waiting: files, and standard error.
 *
 * A sink gathers lines and passes them on when it is flushed.  What cannot be
 * written, because the disk is full or the terminal stands still, waits in a
 * buffer of fixed size; when that is full, lines are lost and counted.  Like the
 * log, the set of sinks is one for the program; users of one path share it.
 */
#ifndef SUPERVISOR_OUTPUT_SINK_H
#define SUPERVISOR_OUTPUT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct sink;

/* The sink of the file PATH, which is opened for appending; NULL: that of our own messages. */
struct sink *sink_take(const char *path);
void sink_give_back(struct sink **);

/* Takes a line, with its newline.  False: it is lost. */
bool sink_line(struct sink *, const char *text, size_t length);

/* Whether lines were lost that nobody has told of, and can be told of now: their number. */
unsigned long long sink_lost(struct sink *);

/* Why the last flush failed: an errno; 0: it did not. */
int sink_error(const struct sink *);

/* The path that it was taken by; NULL: it is standard error. */
const char *sink_path(const struct sink *);

void sink_flush(struct sink *);

/* Flushes all.  Returns when to do so again: something is stuck, or LOOP_FOREVER. */
int64_t sinks_flush(int64_t now);

/* Opens the files anew, since they may have been moved away.  Returns how many could not be. */
size_t sinks_reopen(void);

/*
 * Hands the files of all over, with what could not be written to them yet, or takes
 * them from a master before us: upgrade/state.h.  Whoever takes one by its path then
 * gets that; which are taken by nobody is for sinks_close_unused().
 */
struct state;
void sinks_pass(struct state *);
void sinks_close_unused(void);

/*
 * Sends the program's own log lines to the sink of the file PATH from now on; NULL:
 * of standard error.  False with errno set: the file cannot be opened now.
 */
bool sinks_take_log(const char *path) MUST_CHECK;

/*
 * For a process that was forked and has closed what it does not need: lines of the
 * log go straight to standard error, which becomes the log's file if that has one.
 */
void sinks_leave_log(void);

#endif
