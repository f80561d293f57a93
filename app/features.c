/* features.c - the only file that knows every feature: a line for each. */
#include "features.h"

/* clang-format off */
#define EVERY_FEATURE	\
	FEATURE(health)	\
	FEATURE(tasks)	\
	FEATURE(users)	\
	FEATURE(sales)	\
	FEATURE(jobs)
/* clang-format on */

#ifdef OSTLER_BENCH
#define BENCH FEATURE(bench) /* t/bench: never in what is installed */
#else
#define BENCH
#endif

#define FEATURE(name) extern const struct feature name##_feature;
EVERY_FEATURE BENCH
#undef FEATURE

/* clang-format off */
#define FEATURE(name) &name##_feature,
const struct feature *const features[] = { EVERY_FEATURE BENCH NULL };
/* clang-format on */
