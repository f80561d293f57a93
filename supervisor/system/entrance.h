/*
 * entrance.h - may a user enter a folder and run a program?
 *
 * Asked before anything starts, so that the person hears which folder is in the
 * way, rather than "exec failed" from a worker later.
 */
#ifndef SUPERVISOR_SYSTEM_ENTRANCE_H
#define SUPERVISOR_SYSTEM_ENTRANCE_H

#include <stddef.h>

#include "base/attributes.h"

struct identity;

#define ENTRANCE_TEXT 4600 /* room for what entrance_check writes */

/*
 * Tries, in a child that takes the identity on, to enter DIRECTORY (or NULL)
 * and to execute PROGRAM.  Returns NULL, or what is in the way, in TEXT:
 * "user postgres cannot enter /root (mode 0700)".
 */
const char *entrance_check(const struct identity *, const char *directory, const char *program,
    char text[static ENTRANCE_TEXT]) MUST_CHECK;

#endif
