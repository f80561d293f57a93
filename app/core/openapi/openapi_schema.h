/*
 * openapi_schema.h - the JSON Schemas of an OpenAPI document, from shapes; private to
 * core/openapi*.c.
 */
#ifndef CORE_OPENAPI_OPENAPI_SCHEMA_H
#define CORE_OPENAPI_OPENAPI_SCHEMA_H

#include "base/buffer.h"
#include "core/route.h"

void openapi_field(struct buffer *, const struct field *);

/* A request's body leaves out what its path says; an answer (route NULL) has every field. */
void openapi_object(struct buffer *, const struct shape *, const struct route *);
void openapi_reference(struct buffer *, const struct shape *);
void openapi_list(struct buffer *, const struct shape *);

/* Adds the member "schemas" of the components: what all routes give. */
void openapi_shared_schemas(struct buffer *, const struct feature *const *features);

/* Whether NAME stands in braces in the route's path. */
bool openapi_in_path(const struct route *, const char *name);

#endif
