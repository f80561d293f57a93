/* openapi.h - all features as an OpenAPI 3.1 document, from their tables alone. */
#ifndef CORE_OPENAPI_H
#define CORE_OPENAPI_H

#include "base/buffer.h"
#include "core/route.h"

void openapi_write(struct buffer *, const struct feature *const *features);

#endif
