/*
 * histogram.h - how long things took, in buckets narrow enough to be exact for people.
 *
 * Log-linear: below 32 µs each microsecond has a bucket; above, each doubling is
 * divided into 32.  A bucket's middle is at most 1/64 (1.6 %) away from any time
 * in it.  Times beyond 1,073 s go into the last.  Two histograms add up, bucket
 * by bucket, which no list of percentiles does.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 832

/* 32 for the microseconds below 32, and 32 for each of the 25 doublings from there to 2^30. */
#define HISTOGRAM_FINE     5
#define HISTOGRAM_DOUBLING (1U << HISTOGRAM_FINE)

/* The bucket of a time. */
static inline size_t histogram_bucket(uint64_t microseconds)
{
	unsigned power;

	if (microseconds < HISTOGRAM_DOUBLING)
		return (size_t)microseconds;
	if (microseconds >> 30 != 0)
		return HISTOGRAM_BUCKETS - 1;
	power = 63U - (unsigned)__builtin_clzll(microseconds) - HISTOGRAM_FINE;
	return power * HISTOGRAM_DOUBLING + (size_t)(microseconds >> power);
}

/* The shortest time in a bucket; of HISTOGRAM_BUCKETS itself, the end of the last: 2^30 µs. */
uint64_t histogram_start(size_t bucket);

uint64_t histogram_count(const uint64_t bucket[static HISTOGRAM_BUCKETS]);

/*
 * The time in µs that PART (0 to 1) of the measured ones do not exceed, such as
 * 0.99, to within 1.6 %; 0 when there are none.
 */
double histogram_quantile(const uint64_t bucket[static HISTOGRAM_BUCKETS], double part);

/* How many were shorter than LIMIT µs; exact when a bucket starts there, as at powers of two. */
uint64_t histogram_below(const uint64_t bucket[static HISTOGRAM_BUCKETS], uint64_t limit);

#endif
