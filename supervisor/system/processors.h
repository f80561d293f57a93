/* processors.h - which processors a process may run on, as "0-3,8": sched_setaffinity(2). */
#ifndef SUPERVISOR_SYSTEM_PROCESSORS_H
#define SUPERVISOR_SYSTEM_PROCESSORS_H

#include <sched.h>
#include <stdbool.h>

#include "base/attributes.h"

/* Reads numbers and ranges, parted by commas.  False: TEXT is no such list, or out of range. */
bool processors_parse(const char *text, cpu_set_t *) MUST_CHECK;

/* For our own process.  Async-signal-safe; false with errno set. */
bool processors_choose(const cpu_set_t *) MUST_CHECK;

/* The first of those chosen that we have not got: there is none, or a cpuset(7) forbids it; or -1.
 */
int processors_missing(const cpu_set_t *);

#endif
