/* histogram.c - how long things took, in buckets narrow enough to be exact for people. */
#include "base/histogram.h"

uint64_t histogram_start(size_t bucket)
{
	size_t power = bucket / HISTOGRAM_DOUBLING;

	if (power == 0)
		return bucket;
	return (uint64_t)(bucket % HISTOGRAM_DOUBLING + HISTOGRAM_DOUBLING) << (power - 1);
}

/* The exact time where each microsecond has its bucket; elsewhere nobody in it is far away. */
static double middle(size_t bucket)
{
	uint64_t start = histogram_start(bucket);

	return (double)(start + histogram_start(bucket + 1) - 1) / 2;
}

uint64_t histogram_count(const uint64_t bucket[static HISTOGRAM_BUCKETS])
{
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		count += bucket[i];
	return count;
}

double histogram_quantile(const uint64_t bucket[static HISTOGRAM_BUCKETS], double part)
{
	double wanted = part * (double)histogram_count(bucket);
	size_t longest = 0;
	uint64_t seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (bucket[i] == 0)
			continue;
		longest = i;
		seen += bucket[i];
		if ((double)seen >= wanted)
			break;
	}
	return middle(longest);
}

uint64_t histogram_below(const uint64_t bucket[static HISTOGRAM_BUCKETS], uint64_t limit)
{
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram_start(i) < limit; i++)
		count += bucket[i];
	return count;
}
