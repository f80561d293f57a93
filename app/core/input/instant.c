/* instant.c - a point in time, a day or a month as text. */
#include "core/input/instant.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Reads two digits as a number; -1 when they are none.  Reads the second only behind a digit. */
static int two_digits(const char *text)
{
	if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
		return -1;
	return (text[0] - '0') * 10 + text[1] - '0';
}

static bool within(const char *text, int least, int most)
{
	int value = two_digits(text);

	return value >= least && value <= most;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Each test below reads on only when the one before it has matched: no read past the NUL. */

/* Reads YYYY-MM at the beginning of TEXT: the year, or 0 when it is none of 1 to 9999. */
static int read_month(const char *text)
{
	int century = two_digits(text);

	if (century < 0 || two_digits(text + 2) < 0 || text[4] != '-' || !within(text + 5, 1, 12))
		return 0;
	return century * 100 + two_digits(text + 2);
}

static bool starts_with_date(const char *text)
{
	int year = read_month(text);

	return year > 0 && text[7] == '-' &&
	       within(text + 8, 1, days_of_month(year, two_digits(text + 5)));
}

bool month_is_valid(const char *text)
{
	return read_month(text) > 0 && text[7] == '\0';
}

bool date_is_valid(const char *text)
{
	return starts_with_date(text) && text[10] == '\0';
}

/* PostgreSQL knows no offset of 16 hours or more, nor does any clock. */
static bool offset_is_valid(const char *text)
{
	if (text[0] == '\0' || strcmp(text, "Z") == 0)
		return true;
	return (text[0] == '+' || text[0] == '-') && strlen(text) == 6 && within(text + 1, 0, 15) &&
	       text[3] == ':' && within(text + 4, 0, 59);
}

bool instant_is_valid(const char *text)
{
	size_t digits;

	if (!starts_with_date(text) || text[10] != 'T' || !within(text + 11, 0, 23) ||
	    text[13] != ':' || !within(text + 14, 0, 59) || text[16] != ':' ||
	    !within(text + 17, 0, 59))
		return false;
	text += 19;
	if (*text == '.') {
		digits = strspn(text + 1, "0123456789");
		/* Microseconds are what PostgreSQL keeps. */
		if (digits == 0 || digits > 6)
			return false;
		text += 1 + digits;
	}
	return offset_is_valid(text);
}

bool instant_has_offset(const char *text)
{
	/* Behind the date, whose hyphens are none. */
	return strpbrk(text + 10, "Z+-") != NULL;
}

void instant_add(struct buffer *out, const char *sql, size_t length)
{
	const char *offset = length > 3 ? sql + length - 3 : NULL;

	if (offset == NULL || strcmp(offset, "+00") != 0 || length < 13 || sql[10] != ' ') {
		/* "infinity" or a year beyond 9999: better as it is than wrong */
		buffer_add(out, sql, length);
		return;
	}
	buffer_add(out, sql, 10);
	buffer_add_char(out, 'T');
	buffer_add(out, sql + 11, length - 14);
	buffer_add_char(out, 'Z');
}

void instant_month(const char *text, char month[static MONTH_TEXT])
{
	struct tm tm = { .tm_year = (int)strtol(text, NULL, 10) - 1900,
		.tm_mon = two_digits(text + 5) - 1,
		.tm_mday = two_digits(text + 8),
		.tm_hour = two_digits(text + 11) };
	const char *offset = strpbrk(text + 11, "+-");

	/* Only an offset can lead into another month; it has minutes, and a sign. */
	if (offset != NULL) {
		int minutes = two_digits(offset + 1) * 60 + two_digits(offset + 4);

		tm.tm_min = two_digits(text + 14) + (*offset == '-' ? minutes : -minutes);
	}
	timegm(&tm); /* normalizes the fields */
	snprintf(month, MONTH_TEXT, "%04u-%02u", (unsigned)(tm.tm_year + 1900) % 10000,
	    (unsigned)tm.tm_mon % 12 + 1);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar: years begin in March, for the sake of
 * leap days. */
static long long days_since_1970(int year, int month, int day)
{
	int shifted = year - (month <= 2), of_era = shifted % 400;
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return shifted / 400 * 146097LL + of_era * 365LL + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

static int milliseconds(const char *point)
{
	int ms = 0;

	for (int i = 0; i < 3; i++) {
		bool digit = isdigit((unsigned char)*point);

		ms = ms * 10 + (digit ? *point - '0' : 0);
		point += digit;
	}
	return ms;
}

long long instant_ms(const char *text)
{
	long long days = days_since_1970(two_digits(text) * 100 + two_digits(text + 2),
	    two_digits(text + 5), two_digits(text + 8));
	long long seconds = days * 86400 + two_digits(text + 11) * 3600LL +
			    two_digits(text + 14) * 60 + two_digits(text + 17);
	const char *offset = strpbrk(text + 19, "+-");

	if (offset != NULL) {
		int minutes = two_digits(offset + 1) * 60 + two_digits(offset + 4);

		seconds += (*offset == '-' ? minutes : -minutes) * 60LL;
	}
	return seconds * 1000 + (text[19] == '.' ? milliseconds(text + 20) : 0);
}
