/*
 * descriptor.h - where the master keeps its descriptors: all from 10 up.
 *
 * 0, 1 and 2 mean something to every program, and a worker gets its listener
 * as 0: the master's own stay clear of them, whatever was closed when it was
 * started.
 */
#ifndef SUPERVISOR_SYSTEM_DESCRIPTOR_H
#define SUPERVISOR_SYSTEM_DESCRIPTOR_H

#include <stdbool.h>

#include "base/attributes.h"

/*
 * Moves a descriptor, or passes -1 on: the new one is at least 10 and is closed
 * on exec.  -1 with errno set when there is none left; LOW is closed either way.
 */
int descriptor_raise(int low) MUST_CHECK;

/* Whether it is a socket that listens. */
bool descriptor_listens(int fd);

#endif
