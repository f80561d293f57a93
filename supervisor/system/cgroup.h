/*
 * cgroup.h - a control group for each process, so that none of its children gets away.
 *
 * A child that leaves its process group, as daemons do, stays in its cgroup: the
 * kernel ends all that is in one at once, however fast it forks (cgroup.kill,
 * cgroups(7) and the kernel's cgroup-v2 document).  Only version 2 has that, and
 * only below a cgroup that was left to us may we make others.
 */
#ifndef SUPERVISOR_SYSTEM_CGROUP_H
#define SUPERVISOR_SYSTEM_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

struct cgroups; /* the folder with those of all workers, below our own cgroup */
struct cgroup;  /* one process's, and its children's */

/*
 * Makes the folder.  NULL: it cannot be here, and *WRONG, in the arena, says why.
 * Below a unit of systemd that is not delegated (Delegate=yes) it is only made when
 * somebody INSISTs: systemd takes for its own what it has not given away.
 */
struct cgroups *cgroups_open(struct arena *, bool insist, const char **wrong) MUST_CHECK;

const char *cgroups_path(const struct cgroups *);

/* --- NULL is fine everywhere: then there are none --- */

/* Removes the folder, and what is empty in it. */
void cgroups_close(struct cgroups **);

/* Removes those of dead processes of which somebody was still dying. */
void cgroups_tidy(struct cgroups *);

/* Whether a process is left in any of them; and the end of all, with the folder, by its path alone.
 */
bool cgroups_any_is_left(const struct cgroups *);
void cgroups_kill_all(const struct cgroups *);

/*
 * Hand the folder over, with those of the dead, or take it from a master before us; and
 * one of the living: upgrade/state.h.
 */
struct state;
struct cgroups *cgroups_pass(struct state *, struct arena *, struct cgroups *);
struct cgroup *cgroup_pass(struct state *, struct cgroups *, struct cgroup *);

/* One for a process about to be made; NULL with errno set: it has to do without. */
struct cgroup *cgroup_make(struct cgroups *, const char *name);

/* fork(2), but the child is in the cgroup from its first moment on. */
pid_t cgroup_fork(const struct cgroup *);

/* SIGKILL to all that are in it. */
void cgroup_kill(const struct cgroup *);

/* Its process is dead: it is removed as soon as it is empty. */
void cgroup_leave(struct cgroup **);

#endif
