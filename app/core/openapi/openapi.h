/* openapi.h - all features as an OpenAPI 3.1 document, from their tables alone. */
#ifndef CORE_OPENAPI_H
#define CORE_OPENAPI_H

#include "base/buffer.h"
#include "core/route.h"

/* Writes the document of an API with this TITLE and VERSION. */
void openapi_write(struct buffer *, const char *title, const char *version,
    const struct feature *const *features);

#endif
