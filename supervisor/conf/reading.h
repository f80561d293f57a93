/*
 * reading.h - a configuration that is being read while the loop goes on.
 *
 * A slow disk or name service must not hold up the master: a child reads
 * (base/settings.h), and the loop hears of its end.
 */
#ifndef SUPERVISOR_CONF_READING_H
#define SUPERVISOR_CONF_READING_H

#include <stdbool.h>

#include "supervisor/conf/conf.h"
#include "supervisor/system/loop.h"

struct reading;

struct reading *reading_begin(struct loop *, const char *file) MUST_CHECK;

/* Whether reading_take() will not block. */
bool reading_has_ended(const struct reading *);

/*
 * The configuration, or NULL: *COMPLAINTS, the caller's to free(), says what is wrong
 * with it, a line each.  The reading is gone in either case.
 */
const struct conf *reading_take(struct reading **, char **complaints) MUST_CHECK;

#endif
