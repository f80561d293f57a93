/*
 * imprint.h - whether the files that processes are made of have changed.
 *
 * A reload is usually asked for because a program was built anew, while the
 * configuration is the same.  So a pool has changed, too, when its program has,
 * or any file that its command names.
 */
#ifndef SUPERVISOR_CONF_IMPRINT_H
#define SUPERVISOR_CONF_IMPRINT_H

#include <stdint.h>

struct plan;

/* A number that differs when a file was replaced or written to since. */
uint64_t imprint_of(const struct plan *);

#endif
