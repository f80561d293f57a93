/* once_key.h - the value of an Idempotency-Key header; private to core/. */
#ifndef CORE_JOURNEY_ONCE_KEY_H
#define CORE_JOURNEY_ONCE_KEY_H

#include "base/arena.h"

/* The longest key, in characters; a UUID has 36. */
#define ONCE_KEY_MOST 255

/*
 * The key in TEXT: a structured field's string in quotes (RFC 8941, 3.3.3), as the
 * draft wants it, or bare, as most clients send it: both are the same key.  NULL:
 * it is neither, empty, or too long.
 */
const char *once_key(struct arena *, const char *text);

#endif
