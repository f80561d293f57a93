/* program.h - the file a command names. */
#ifndef SUPERVISOR_SYSTEM_PROGRAM_H
#define SUPERVISOR_SYSTEM_PROGRAM_H

#include <sys/types.h>

#include "base/arena.h"

/*
 * The absolute path of the program NAME: NAME itself, or where it is found in
 * SEARCH, a list as in PATH.  NULL: *WRONG is a sentence in the arena.
 */
const char *program_find(
    struct arena *, const char *name, const char *search, const char **wrong) MUST_CHECK;

/*
 * The words of a command for execve(2), with PID in the place of each "%p" and "%" of
 * each "%%".  WORDS ends with NULL.
 */
const char *const *program_arguments(struct arena *, const char *const *words, pid_t pid);

/*
 * Where our own program is, absolute: as it was CALLED, through whatever links, for who
 * installs another puts that there; if we are not that file, or were found by PATH, what
 * the kernel says.
 */
const char *program_own(struct arena *, const char *called);

/* The number of a signal by its name, "TERM" or "SIGTERM"; 0: there is none. */
int program_signal(const char *name);

#endif
