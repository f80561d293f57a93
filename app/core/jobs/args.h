/* args.h - a job's arguments: whether a struct fits its shape, and what makes two jobs one. */
#ifndef CORE_JOBS_ARGS_H
#define CORE_JOBS_ARGS_H

#include "core/input/bind.h"

/* NULL, or what is wrong with the struct: "title must have 1 to 200 characters, not 0". */
const char *args_check(const struct binder *, const struct shape *, const void *args);

/*
 * By KIND's "unique": the values of the arguments that it names, as a text, or
 * NULL when it names none.
 */
const char *args_unique(struct arena *, const char *unique, const struct shape *, const void *args);

#endif
