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

#endif
