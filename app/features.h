/* features.h - all features of ostler-app. */
#ifndef APP_FEATURES_H
#define APP_FEATURES_H

#include "core/route.h"

extern const struct feature *const features[]; /* NULL-terminated */

#endif
