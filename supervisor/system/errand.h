/* errand.h - something done in a child of its own, which is known by the text it writes. */
#ifndef SUPERVISOR_SYSTEM_ERRAND_H
#define SUPERVISOR_SYSTEM_ERRAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

/*
 * Has a child call RUN, which writes to OUT, and waits for its end.  What it
 * wrote stands in TEXT, NUL-terminated and cut to ROOM.  False with errno set:
 * there was no child.
 */
bool errand_run(
    void (*run)(const void *owner, int out), const void *owner, char *text, size_t room) MUST_CHECK;

#endif
