/* instant.h - a point in time, a day or a month as text: RFC 3339 outside, PostgreSQL's ISO form
 * inside. */
#ifndef CORE_INPUT_INSTANT_H
#define CORE_INPUT_INSTANT_H

#include <stdbool.h>

#include "base/buffer.h"

/*
 * Whether TEXT is an RFC 3339 date-time of the years 1 to 9999: 2026-01-31T23:59:59.5Z.  One
 * without an offset is taken too: it means UTC, see instant_has_offset.
 */
bool instant_is_valid(const char *text);

/* Whether a valid instant says its offset from UTC. */
bool instant_has_offset(const char *text);

/* A valid instant as milliseconds since 1970, rounded down; one without an offset is in UTC. */
long long instant_ms(const char *text);

/* The month in UTC, YYYY-MM, in which a valid instant lies; NUL-terminated. */
#define MONTH_TEXT 8
void instant_month(const char *text, char month[static MONTH_TEXT]);

bool date_is_valid(const char *text);  /* a day of the years 1 to 9999: 2026-01-31 */
bool month_is_valid(const char *text); /* a month of those: 2026-01 */

/* Adds PostgreSQL's "2026-01-31 23:59:59.5+00" (its session is in UTC) as RFC 3339. */
void instant_add(struct buffer *, const char *sql, size_t length);

#endif
