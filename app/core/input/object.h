/*
 * object.h - a handler's struct while it is filled, whatever its values come from.
 *
 * Before each struct stands, out of the handler's sight, which of its members
 * were given: C has no value for "not given", and for "null" only sometimes.
 */
#ifndef CORE_INPUT_OBJECT_H
#define CORE_INPUT_OBJECT_H

#include <stdint.h>

#include "core/input/faults.h"
#include "core/journey/request.h"

/* Bit i is about the shape's field i. */
struct bound {
	const struct shape *shape;
	uint64_t given, nulls; /* given at all; given as null */
};

/* A zeroed struct of SHAPE with nothing given. */
void *object_new(struct arena *, const struct shape *);

struct bound *object_bound(const void *object);

/* The field whose member stands at OFFSET: a mistake of the handler's when there is none. */
const struct field *object_field_at(const struct shape *, size_t offset);

/* A struct being filled, and where in what was sent it stands. */
struct target {
	const struct shape *shape;
	void *object;
	const char *in;        /* IN_QUERY or IN_BODY */
	const struct step *at; /* NULL: at the top */
};

/*
 * The field NAME, marked as given; NULL after adding a fault when there is none,
 * when the path already says it, or when one value is given twice.
 */
const struct field *object_claim(struct request *, const struct target *, const char *name);

/* Takes the claim back: what was sent stands for nothing. */
void object_unclaim(const struct target *, const struct field *);

/* Marks FIELD as given as null. */
void object_set_null(const struct target *, const struct field *);

/* Presets what was not given, and adds a fault for each required member that is missing. */
void object_fill(struct request *, const struct target *);

/* --- lists --- */

/* FIELD as one item of its list is bound: into the item itself. */
struct field list_item_field(const struct field *);

/* Makes room for COUNT items, zeroed; a list that has some keeps them. */
void list_resize(struct arena *, struct list *, const struct field *, size_t count);

/* Makes the struct OBJECT, and which members of it were given, the item at I. */
void list_put(struct list *, size_t i, const void *object);

/* Where FIELD's list is in the struct. */
struct list *list_of(const struct target *, const struct field *);

/* Adds a fault when a list of COUNT items has too few or too many of them.  True: it does not. */
bool list_fits(struct request *, const struct target *, const struct field *, size_t count);

#endif
