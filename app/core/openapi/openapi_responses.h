/*
 * openapi_responses.h - what an operation may answer, status by status; private to
 * core/openapi/.
 */
#ifndef CORE_OPENAPI_OPENAPI_RESPONSES_H
#define CORE_OPENAPI_OPENAPI_RESPONSES_H

#include "core/openapi/schemas.h"

/* Adds the member "responses" of the route's operation. */
void openapi_responses(const struct schemas *, const struct route *);

/* Adds the member "responses" of the components, which the former refers to. */
void openapi_shared_responses(struct buffer *, const struct feature *const *features);

#endif
