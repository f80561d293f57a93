/*
 * guardian.h - sees to it that no worker outlives the master, however that ends.
 *
 * The kernel tells each worker of the master's death with the stop signal of its
 * pool; but a worker may ignore that, and its children are told nothing.  The
 * guardian is a small process that holds one end of a pipe and knows which
 * process groups there are, and the folder of their cgroups.  When the pipe ends
 * and any of them is left, it gives them a moment and kills them.
 */
#ifndef SUPERVISOR_PROCESS_GUARDIAN_H
#define SUPERVISOR_PROCESS_GUARDIAN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

struct cgroups;
struct guardian;
struct pools;

/* Forks it; without CGROUPS, NULL, it knows process groups only.  NULL with errno set. */
struct guardian *guardian_start(
    struct arena *, const struct pools *, const struct cgroups *) MUST_CHECK;

/*
 * Hands over who it is, or hears it of a master before us: upgrade/state.h.  Of the
 * next master's own program is a guardian that he makes; when that one knows all,
 * the old one is dismissed, without having done anything.
 */
struct state;
struct guardian_before {
	pid_t pid;
	int pipe;
};
void guardian_pass(struct state *, const struct guardian *, struct guardian_before *);
struct guardian *guardian_succeed(struct arena *, const struct pools *, const struct cgroups *,
    struct guardian_before *) MUST_CHECK;

/* Has nothing to do any more: waits for its end. */
void guardian_end(struct guardian **);

/* A worker leads this group; its group is no more.  NULL is fine: there is no guardian. */
void guardian_watch(struct guardian *, pid_t);
void guardian_forget(struct guardian *, pid_t);

/* Whether PID was the guardian, who is then replaced. */
bool guardian_has_died(struct guardian *, pid_t pid);

#endif
