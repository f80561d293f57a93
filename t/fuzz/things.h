/* things.h - the feature of the fuzzed world: a field of every kind, a route of every way in. */
#ifndef FUZZ_THINGS_H
#define FUZZ_THINGS_H

#include "core/route.h"

extern const struct feature things_feature;

#endif
