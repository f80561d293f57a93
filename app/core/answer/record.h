/* record.h - a C struct as JSON, by its shape. */
#ifndef CORE_ANSWER_RECORD_H
#define CORE_ANSWER_RECORD_H

#include "base/buffer.h"
#include "core/shape.h"

/*
 * Adds RECORD, a struct of SHAPE, as an object.  Text that is NULL is written as
 * null, and so is a number that JSON has no word for: infinity, and what is none.
 * An OBJECT is a pointer to its struct, NULL for null; a list is a struct list, of any array:
 * LIST_OF(array, count).
 */
void record_write(struct buffer *, const struct shape *, const void *record);

/*
 * The same for who reads it into a struct again: what is not there is left out.  A
 * text that is NULL is not there, an empty list, and, since a number has no way to
 * say so, a 0 where 0 may not be.
 */
void record_write_sparse(struct buffer *, const struct shape *, const void *record);
bool record_has(const struct field *, const void *record);

/* One member, with its key, as record_write_sparse writes it. */
void record_write_member(struct buffer *, const struct field *, const void *record);

#endif
