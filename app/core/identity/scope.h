/*
 * scope.h - what a token is for (RFC 6749, 3.3): to read, to write, or both.
 *
 * A role says what somebody may; a scope leaves out what a program in their name does not need.
 */
#ifndef CORE_IDENTITY_SCOPE_H
#define CORE_IDENTITY_SCOPE_H

#include <stdbool.h>

#include "base/arena.h"

#define SCOPE_READ  "read"  /* GET and HEAD */
#define SCOPE_WRITE "write" /* everything else */
#define SCOPE_BOTH  SCOPE_READ " " SCOPE_WRITE

/* All that there are, NULL-terminated, each as we write it. */
extern const char *const scopes[];

/* Whether the words of SCOPE have WORD among them. */
bool scope_has(const char *scope, const char *word);

/* What both have, as we write it; NULL: nothing. */
const char *scope_common(const char *one, const char *other);

/*
 * What of HELD is ASKED for, as we write it: all of it when ASKED is NULL or empty; NULL when more
 * is asked than is held, or a word is no scope.
 */
const char *scope_narrow(const char *held, const char *asked);

#endif
