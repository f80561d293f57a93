/* builtin.h - the routes that the framework itself answers. */
#ifndef CORE_OPENAPI_BUILTIN_H
#define CORE_OPENAPI_BUILTIN_H

#include "core/route.h"

extern const struct feature builtin_feature;

#endif
