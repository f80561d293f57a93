/*
 * patterns.h - the regular expressions of all shapes, compiled once; the only door to PCRE2.
 *
 * A field with a .pattern is the one kind of check that a client's text could
 * make slow, so a match has a limit of steps: beyond it the text does not match.
 */
#ifndef CORE_INPUT_PATTERNS_H
#define CORE_INPUT_PATTERNS_H

#include <stdbool.h>

#include "base/arena.h"
#include "core/shapes.h"

struct patterns;

/* Compiles every pattern of SHAPES; one that is none ends the program, naming its field. */
struct patterns *patterns_compile(const struct shapes *);
void patterns_free(struct patterns **);

/*
 * Whether PATTERN, the very pointer of a field's table, is found in TEXT, valid
 * UTF-8 of LENGTH bytes.  ARENA lends the memory of the match.
 */
bool patterns_match(
    const struct patterns *, struct arena *, const char *pattern, const char *text, size_t length);

#endif
