/* pace.c - how many jobs to claim at once, and when to try one again. */
#include "core/jobs/pace.h"

/* What is claimed at once should be done in about this time. */
#define MOMENT_US INT64_C(100000)

/* From here on a job is claimed by itself. */
#define SLOW_US INT64_C(5000)

#define FIRST_NAP_US INT64_C(2000)

int64_t pace_mean(int64_t mean_us, int64_t took_us)
{
	if (took_us < 1)
		took_us = 1;
	if (mean_us == 0 || took_us > mean_us * 8)
		return took_us;
	return (mean_us * 7 + took_us + 7) / 8;
}

long long pace_batch(int64_t mean_us, long long last, long long most)
{
	long long fitting;

	if (mean_us == 0 || mean_us >= SLOW_US)
		return 1;
	fitting = MOMENT_US / mean_us;
	if (fitting > last * 2)
		fitting = last * 2;
	if (fitting > most)
		fitting = most;
	return fitting > 1 ? fitting : 1;
}

long long pace_backoff_ms(long long attempt, long long first_s, long long most_s, uint32_t chance)
{
	long long ms = first_s * 1000;

	for (long long i = 1; i < attempt && ms < most_s * 1000; i++)
		ms *= 2;
	if (ms > most_s * 1000)
		ms = most_s * 1000;
	/* Nine to eleven tenths. */
	return ms * 9 / 10 + (long long)((uint64_t)ms * chance / UINT32_MAX / 5);
}

int64_t pace_idle_us(int64_t slept_us, int64_t most_us)
{
	int64_t next = slept_us == 0 ? FIRST_NAP_US : slept_us * 2;

	return next < most_us ? next : most_us;
}
