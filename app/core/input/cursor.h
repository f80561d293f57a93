/* cursor.h - where a page of a list ended, as an opaque text. */
#ifndef CORE_INPUT_CURSOR_H
#define CORE_INPUT_CURSOR_H

#include "base/arena.h"
#include "core/shape.h"

/* The text of a cursor: base64url (RFC 4648, section 5) of "time/id", or of "time/uuid". */
const char *cursor_encode(struct arena *, const struct cursor *);

/* False when TEXT is none of ours. */
bool cursor_decode(struct arena *, const char *text, struct cursor *) MUST_CHECK;

#endif
