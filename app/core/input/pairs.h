/* pairs.h - name=value&…, of a query or a urlencoded form, bound to a shape. */
#ifndef CORE_INPUT_PAIRS_H
#define CORE_INPUT_PAIRS_H

#include "core/input/object.h"

/*
 * Binds PAIRS, decoding in place, and adds a fault for each wrong value.  NULL,
 * or why they are nothing that can be taken at all (a 400).
 */
const char *pairs_bind(struct request *, const struct target *, char *pairs);

/* Binds one value that is text already; a list takes it as one more item. */
void pairs_bind_text(
    struct request *, const struct target *, const struct field *, const char *text);

/* After the last pair: whether each list has as many items as it must have. */
void pairs_end(struct request *, const struct target *);

#endif
