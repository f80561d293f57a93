/* openapi_headers.h - the header fields that a route's columns bring; private to core/openapi/. */
#ifndef CORE_OPENAPI_OPENAPI_HEADERS_H
#define CORE_OPENAPI_OPENAPI_HEADERS_H

#include "base/buffer.h"
#include "core/route.h"

/* Whether the route looks at a header that its operation must name. */
bool openapi_takes_headers(const struct route *);

/* Adds those headers to the array of the operation's parameters. */
void openapi_taken_headers(struct buffer *, const struct route *);

/* Adds the member "headers" of an answer of success, unless there are none. */
void openapi_given_headers(struct buffer *, const struct route *);

#endif
