/* cron.h - regular times: five fields as crontab(5) has them, in UTC. */
#ifndef CORE_JOBS_CRON_H
#define CORE_JOBS_CRON_H

#include <stdbool.h>
#include <stdint.h>

/* Which values of each field match: bit i is the value i. */
struct cron_times {
	uint64_t minutes, hours, days, months, weekdays; /* Sunday is 0 */
	bool any_day, any_weekday;                       /* the field began with a star */
};

/*
 * Reads "30 3 * * 1-5", with lists, ranges, steps and names of months and days,
 * or "@hourly", "@daily", "@weekly", "@monthly", "@yearly".  False: it is none.
 */
bool cron_read(struct cron_times *, const char *spec);

/*
 * The first matching minute after AFTER, both in seconds since 1970.  A day
 * matches by its date or its weekday when both are restricted (crontab(5)).  -1:
 * none within eight years, which is how far apart two 29ths of February can be.
 */
int64_t cron_next(const struct cron_times *, int64_t after);

#endif
