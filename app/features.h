/* features.h - all features of this program. */
#ifndef APP_FEATURES_H
#define APP_FEATURES_H

#include "core/openapi/builtin.h"

extern const struct feature *const features[]; /* NULL-terminated */

#endif
