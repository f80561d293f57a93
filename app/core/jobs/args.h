/* args.h - a job's arguments: a struct, bound to its shape, as the JSON that waits in the queue. */
#ifndef CORE_JOBS_ARGS_H
#define CORE_JOBS_ARGS_H

#include "base/buffer.h"
#include "core/input/bind.h"

/* NULL, or what is wrong with the struct: "title must have 1 to 200 characters, not 0". */
const char *args_check(const struct binder *, const struct shape *, const void *args);

/* Adds it as an object.  What is not there is left out: a text that is NULL, an optional 0 that may
 * not be. */
void args_write(struct buffer *, const struct shape *, const void *args);

/*
 * What makes two jobs one, by KIND's "unique": the values of the arguments that
 * it names, or NULL when it names none.
 */
const char *args_unique(struct arena *, const char *unique, const struct shape *, const void *args);

#endif
