/*
 * arrays.h - values of a struct as what SQL takes, lists as PostgreSQL's arrays.
 *
 * A list becomes one parameter, so a statement of a thousand rows is sent once:
 * INSERT … SELECT … FROM unnest($1::text[], $2::numeric[]).
 */
#ifndef CORE_INPUT_ARRAYS_H
#define CORE_INPUT_ARRAYS_H

#include "base/arena.h"
#include "core/shape.h"

/* What OBJECT's member of FIELD holds; a list as an array, a cursor, an object or a file not at
 * all. */
struct value value_of_member(struct arena *, const struct field *, const void *object);

/* All items of a list of values: {"a","b"}. */
const char *array_of_items(struct arena *, const struct list *);

/* The member at OFFSET of all items of a list of objects; NULL where it was not given. */
const char *array_of_members(struct arena *, const struct list *, size_t offset);

#endif
