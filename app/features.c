/*
 * features.c - the only file that knows every feature: a line for each.
 *
 * The order is that of the documents.  Each feature is found by the linker: one that
 * is listed and not there does not link, and one that is there and not listed is
 * not in the program.
 */
#include "features.h"

/* clang-format off */
#define EVERY_FEATURE	\
	FEATURE(health)	\
	FEATURE(accounts)	\
	FEATURE(tasks)	\
	FEATURE(users)	\
	FEATURE(sales)	\
	FEATURE(metrics)	\
	FEATURE(jobs)	\
	FEATURE(mail)	\
	FEATURE(events)	\
	FEATURE(audit)	\
	FEATURE(second_factor) \
	FEATURE(tokens)
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
