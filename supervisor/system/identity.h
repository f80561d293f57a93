/* identity.h - which user and groups a process runs as. */
#ifndef SUPERVISOR_SYSTEM_IDENTITY_H
#define SUPERVISOR_SYSTEM_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"

struct identity {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* the supplementary ones */
	size_t group_count;
	const char *user, *home;
	bool differs; /* from our own: only root can take it on */
};

/*
 * The identity of USER with GROUP; NULL for either means our own user, and the
 * user's own group.  Names and numbers are both understood.  Returns NULL, or
 * what is wrong as a whole sentence in the arena, and in BLAMED the word at fault.
 */
const char *identity_find(
    struct arena *, const char *user, const char *group, struct identity *) MUST_CHECK;

/* Finds one user or one group by name or number.  False: there is none. */
bool identity_find_user(const char *name, uid_t *) MUST_CHECK;
bool identity_find_group(const char *name, gid_t *) MUST_CHECK;

/*
 * Takes the identity on, for good, in a forked child: groups, then group, then
 * user, since each step removes the right to do the one before.  Calls nothing
 * that is not async-signal-safe.  False with errno set: it did not succeed, or
 * the old user could be had back.
 */
bool identity_take_on(const struct identity *) MUST_CHECK;

#endif
