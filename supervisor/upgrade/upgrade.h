/*
 * upgrade.h - from one ostlerd to the next, in the same process.
 *
 * What this one knows is written down (state.h), and the program that is to follow
 * is asked whether it can take it over (examiner.h): first while all goes on, for
 * it may hang; then, when it can, once more while everything stands still, about
 * the very state that it gets.  Then we become that program, by execve(2).  Until
 * then nothing has happened, and whatever goes wrong leaves all as it is.
 */
#ifndef SUPERVISOR_UPGRADE_UPGRADE_H
#define SUPERVISOR_UPGRADE_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "supervisor/upgrade/examiner.h"

struct pools;
struct state;
struct upgrade;

/* Who is asked what there is to hand over, and how. */
struct upgrade_wish {
	struct candidate candidate;
	int64_t patience; /* µs until it must have answered */
	void (*write)(void *owner, struct state *);
	void *owner;
};

/* The candidate's texts must outlive it. */
struct upgrade *upgrade_new(
    struct arena *, struct pools *, struct loop *, const struct upgrade_wish *) MUST_CHECK;
void upgrade_free(struct upgrade **);

/* Asks for one.  NULL: it was begun, and *NUMBER is its number, from 1; or why not now. */
const char *upgrade_ask(struct upgrade *, const char *who, unsigned long long *number);

/* From its beginning until the next ostlerd runs, or it has failed; NULL is fine: there is none. */
bool upgrade_is_under_way(const struct upgrade *);

/* Goes on with what is under way, perhaps never to return.  Returns when to be called again. */
int64_t upgrade_tick(struct upgrade *, int64_t now);

/* The child that examines has ended, and is not reaped yet; false: PID is not it. */
bool upgrade_hear_end(struct upgrade *, pid_t, const struct ending *);

enum upgrade_result {
	UPGRADE_PENDING,
	UPGRADE_ACCEPTED, /* the next ostlerd has said that it can */
	UPGRADE_DONE,     /* it has taken over; *TEXT says from which version to which */
	UPGRADE_FAILED,   /* nothing has changed; *TEXT says why */
};

/* How far the upgrade of that number has come.  TEXT stays until the next is asked for. */
enum upgrade_result upgrade_result(
    const struct upgrade *, unsigned long long number, const char **text);

/* Hands over which number this one has; and, of one that was read, says that it is done. */
void upgrade_pass(struct state *, struct upgrade *);
void upgrade_finish(struct upgrade *);

#endif
