/* proc.h - a file of /proc, read whole. */
#ifndef SUPERVISOR_SYSTEM_PROC_H
#define SUPERVISOR_SYSTEM_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attributes.h"

/*
 * Reads /proc/PID/FILE into TEXT, NUL-terminated and cut to ROOM.  False with
 * errno set.  One read(2) is enough: the kernel makes the whole text for it.
 */
bool proc_read(pid_t, const char *file, char *text, size_t room) MUST_CHECK;

#endif
