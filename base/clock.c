/* clock.c - time, in microseconds. */
#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

const char *clock_rfc3339(char text[static CLOCK_TEXT], int64_t wall)
{
	time_t seconds = wall / SECOND_US;
	struct tm day;
	size_t length;

	gmtime_r(&seconds, &day);
	length = strftime(text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &day);
	snprintf(text + length, CLOCK_TEXT - length, ".%03dZ", (int)(wall % SECOND_US / 1000));
	return text;
}

int clock_ms_until(int64_t deadline)
{
	int64_t left = deadline - clock_now();

	if (left <= 0)
		return 0;
	if (left / 1000 >= INT_MAX)
		return INT_MAX;
	return (int)((left + 999) / 1000);
}
