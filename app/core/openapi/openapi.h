/* openapi.h - all features as an OpenAPI 3.1 document, from their tables alone. */
#ifndef CORE_OPENAPI_H
#define CORE_OPENAPI_H

#include "base/buffer.h"
#include "core/route.h"

/* What a document says of the API as a whole. */
struct openapi_info {
	const char *title, *version;
	const char *license; /* its SPDX identifier; NULL: none is named */
};

void openapi_write(
    struct buffer *, const struct openapi_info *, const struct feature *const *features);

#endif
