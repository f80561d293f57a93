/* features.c - the only file that knows every feature. */
#include "features.h"

extern const struct feature health_feature, tasks_feature;
#ifdef OSTLER_BENCH
extern const struct feature bench_feature; /* t/bench: never in what is installed */
#endif

const struct feature *const features[] = {
	&health_feature,
	&tasks_feature,
#ifdef OSTLER_BENCH
	&bench_feature,
#endif
	NULL,
};
