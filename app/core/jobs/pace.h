/*
 * pace.h - how many jobs to claim at once, and when to try one again.
 *
 * Pure: what is measured comes in, what to do goes out.
 */
#ifndef CORE_JOBS_PACE_H
#define CORE_JOBS_PACE_H

#include <stdint.h>

/*
 * How long jobs of a kind take: a mean that forgets, 0 before the first.  One
 * that took much longer counts at once, so that a batch never grows by mistake.
 */
int64_t pace_mean(int64_t mean_us, int64_t took_us);

/*
 * How many jobs of a kind that takes MEAN_US to claim at once, at most MOST.
 * What is claimed waits for what is before it, where no other worker can have
 * it: slow jobs go one by one, quick ones by as many as fit into a moment.  It
 * grows by doubling from LAST.
 */
long long pace_batch(int64_t mean_us, long long last, long long most);

/*
 * How long to wait before the attempt after ATTEMPT failed ones: FIRST seconds,
 * doubling up to MOST, a tenth more or less by CHANCE, so that what failed
 * together does not come back together.
 */
long long pace_backoff_ms(long long attempt, long long first_s, long long most_s, uint32_t chance);

/*
 * How long to sleep when there was nothing to do, after SLEPT: next to nothing
 * at first, for work comes in swarms, and twice as long each time up to MOST.
 */
int64_t pace_idle_us(int64_t slept_us, int64_t most_us);

#endif
