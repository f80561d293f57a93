/*
 * arena.h - memory that lives and dies together.
 *
 * A request, or a configuration, takes many small pieces and never gives one
 * back: the whole arena is reset or freed at once.  An arena belongs to one
 * thread.  Running out of memory ends the program with a message, so no caller
 * checks for NULL.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/attributes.h"

struct arena;

/* A growing arena; KEEP bytes survive each reset, so that a usual request costs no malloc. */
struct arena *arena_new(size_t keep);

/*
 * An arena of at most LIMIT bytes in memory shared with children forked later,
 * at the same address in all of them: a child can build a value with pointers
 * in it and the parent can read it.  NULL, and errno, when the system refuses.
 */
struct arena *arena_new_shared(size_t limit) MUST_CHECK;

/* SIZE zeroed bytes, aligned for anything. */
void *arena_alloc(struct arena *, size_t size);

/* P, of OLD bytes, as SIZE bytes: in place when it was the last piece taken, else a copy. */
void *arena_grow(struct arena *, void *p, size_t old, size_t size);

char *arena_copy(struct arena *, const char *text, size_t length); /* NUL-terminated */
char *arena_print(struct arena *, const char *format, ...) PRINTF_LIKE(2, 3);

void arena_reset(struct arena *);
void arena_free(struct arena **);

#endif
