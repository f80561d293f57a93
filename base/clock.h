/* clock.h - time, in microseconds: one clock for deadlines, one for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define SECOND_US  INT64_C(1000000)
#define CLOCK_TEXT 32 /* room for clock_rfc3339 */

int64_t clock_now(void);  /* CLOCK_MONOTONIC: never jumps; for deadlines and durations */
int64_t clock_wall(void); /* CLOCK_REALTIME since 1970: for people; may jump */

/* Writes WALL as RFC 3339 in UTC with milliseconds: 2026-01-31T23:59:59.123Z. */
const char *clock_rfc3339(char text[static CLOCK_TEXT], int64_t wall);

/* Milliseconds from now until DEADLINE (a clock_now), rounded up, never below 0: for poll(2). */
int clock_ms_until(int64_t deadline);

#endif
