/* environment.h - the variables a worker sees: a short list, not the master's own. */
#ifndef SUPERVISOR_SYSTEM_ENVIRONMENT_H
#define SUPERVISOR_SYSTEM_ENVIRONMENT_H

#include "base/arena.h"
#include "base/settings.h"

struct identity;

/* What is wrong with "NAME=value" or "NAME" as a setting, or NULL. */
const char *environment_check(const char *entry) MUST_CHECK;

/*
 * PATH, LANG, LC_ALL and TZ as the master has them, HOME, USER and LOGNAME of
 * the identity, then ENTRIES: "NAME=value" sets, a bare "NAME" passes the
 * master's own through.  Ends with NULL.
 */
char *const *environment_make(struct arena *, const struct identity *, const struct words *entries);

/* BEFORE and COUNT more entries, which are copied; ends with NULL. */
char *const *environment_extend(
    struct arena *, char *const *before, const char *const *more, size_t count);

/* The value of NAME in an environment, or NULL. */
const char *environment_value(char *const *environment, const char *name);

#endif
