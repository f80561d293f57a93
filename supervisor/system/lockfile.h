/*
 * lockfile.h - a file that one process at a time can hold.
 *
 * The lock is flock(2): it ends with the process, however that ends, so a file
 * left behind locks nobody out.
 */
#ifndef SUPERVISOR_SYSTEM_LOCKFILE_H
#define SUPERVISOR_SYSTEM_LOCKFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attributes.h"

/*
 * Opens or creates PATH with MODE and locks it.  Returns a descriptor, or -1
 * with errno set; EWOULDBLOCK: another process holds it.
 */
int lockfile_take(const char *path, mode_t mode) MUST_CHECK;

/* Replaces what the file holds by TEXT.  False with errno set. */
bool lockfile_write(int fd, const char *text) MUST_CHECK;

/* Deletes PATH if it is still the file held as *FD, then lets go of it; *FD becomes -1. */
void lockfile_drop(const char *path, int *fd);

#endif
