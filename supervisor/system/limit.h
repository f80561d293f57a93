/* limit.h - what a process may use of the machine, as "nofile=1024:4096": setrlimit(2). */
#ifndef SUPERVISOR_SYSTEM_LIMIT_H
#define SUPERVISOR_SYSTEM_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "base/arena.h"

struct limit {
	int resource; /* RLIMIT_… */
	struct rlimit value;
};

/*
 * Reads NAME=BOTH or NAME=SOFT:HARD.  A value is a number, with K, M or G where
 * the kernel counts bytes, or "unlimited".  Returns NULL, or what is wrong with
 * TEXT as a sentence in the arena.
 */
const char *limit_parse(struct arena *, const char *text, struct limit *) MUST_CHECK;

/* For our own process.  Async-signal-safe; false with errno set. */
bool limit_set(const struct limit *) MUST_CHECK;

/* The name of a resource, as in a configuration. */
const char *limit_name(int resource);

/*
 * Finds, in the text of /proc/PID/limits (proc(5)), the limit number INDEX of
 * those that have a name here.  False: there is none of that number, or the
 * kernel does not tell.
 */
bool limit_read(const char *text, size_t index, struct limit *) MUST_CHECK;

#endif
