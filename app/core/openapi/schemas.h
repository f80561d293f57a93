/*
 * schemas.h - the JSON Schemas of an OpenAPI document, from shapes; private to core/openapi/.
 *
 * A shape that is a component has a schema of its own under components/schemas,
 * named by its struct; everything else refers to it.  One shape may have two:
 * an answer always has every member, a request only those that are required.
 */
#ifndef CORE_OPENAPI_SCHEMAS_H
#define CORE_OPENAPI_SCHEMAS_H

#include "base/buffer.h"
#include "core/shapes.h"

/* Which way a value goes: out in an answer, or in with a request. */
enum way { GIVEN, TAKEN, WAYS };

/* The names of the components: NULL for a shape that goes that way nowhere. */
struct schemas {
	struct buffer *out; /* the document */
	size_t count;
	struct named {
		const struct shape *shape;
		const char *name[WAYS];
	} * named;
};

/* Names the components of all FEATURES; OUT is where the functions below write. */
struct schemas schemas_name(struct buffer *out, const struct feature *const *features);

/* The schema of one field; of a body or a parameter when TAKEN. */
void schema_field(const struct schemas *, const struct field *, enum way);

/* A reference to the shape's component. */
void schema_reference(const struct schemas *, const struct shape *, enum way);

/* What a route's body must be: one object, without what the path says, or a list of them. */
void schema_body(const struct schemas *, const struct route *);

/* A page of a list: its items and the cursor of the next page. */
void schema_page(const struct schemas *, const struct shape *);

/* Adds the member "schemas" of the components. */
void schemas_write(const struct schemas *);

#endif
