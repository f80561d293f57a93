/* clock.c - time, in microseconds. */
#include "base/clock.h"

#include <limits.h>
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

static char *add_digits(char *out, unsigned value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + digits;
}

/*
 * The date of a day since 1970 in the Gregorian calendar, by whole 400 years of
 * 146,097 days counted from a March 1st, so that a leap day is the last of its
 * year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").  gmtime_r
 * and strftime take a lock of the whole process and ten times as long.
 */
static char *add_date(char *out, int64_t day)
{
	int64_t shifted = day + 719468, era = shifted / 146097;
	unsigned of_era = (unsigned)(shifted - era * 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned from_march = (5 * of_year + 2) / 153;
	unsigned month = from_march < 10 ? from_march + 3 : from_march - 9;

	out = add_digits(out, (unsigned)(era * 400) + year + (month <= 2), 4);
	*out++ = '-';
	out = add_digits(out, month, 2);
	*out++ = '-';
	return add_digits(out, of_year - (153 * from_march + 2) / 5 + 1, 2);
}

const char *clock_rfc3339(char text[static CLOCK_TEXT], int64_t wall)
{
	int64_t seconds = wall / SECOND_US;
	unsigned of_day = (unsigned)(seconds % 86400);
	char *out = add_date(text, seconds / 86400);

	*out++ = 'T';
	out = add_digits(out, of_day / 3600, 2);
	*out++ = ':';
	out = add_digits(out, of_day / 60 % 60, 2);
	*out++ = ':';
	out = add_digits(out, of_day % 60, 2);
	*out++ = '.';
	out = add_digits(out, (unsigned)(wall % SECOND_US / 1000), 3);
	*out++ = 'Z';
	*out = '\0';
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
