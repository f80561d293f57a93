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

/* By names or numbers.  NULL: our own user, the user's own group. */
struct identity_wish {
	const char *user, *group;
	const char *const *groups; /* the supplementary ones, ends with NULL; or NULL: the user's */
};

/*
 * Returns NULL, or what is wrong as a whole sentence in the arena, and in
 * *BLAMED the word at fault: "user", "group" or "groups".
 */
const char *identity_find(struct arena *, const struct identity_wish *, struct identity *,
    const char **blamed) MUST_CHECK;

/* The name of a user or a group by number, in NAME; without one, the number. */
#define IDENTITY_NAME 64
const char *identity_user_name(uid_t, char name[static IDENTITY_NAME]);
const char *identity_group_name(gid_t, char name[static IDENTITY_NAME]);

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
