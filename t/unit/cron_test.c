/* cron_test.c - what crontab(5) says, and the first matching minute after any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/attributes.h"
#include "core/jobs/cron.h"

/* "2026-11-24 08:30" as seconds since 1970 */
static int64_t at(const char *text)
{
	struct tm fields = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &fields));
	return timegm(&fields);
}

static void next_is(const char *spec, const char *after, const char *expected)
{
	struct cron_times times;
	char text[32] = "never";
	int64_t next;
	time_t when;

	assert_true(cron_read(&times, spec));
	next = cron_next(&times, at(after));
	when = (time_t)next;
	if (next >= 0)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", gmtime(&when));
	if (strcmp(text, expected) != 0)
		fail_msg("\"%s\" after %s is %s, not %s", spec, after, text, expected);
}

/* 2026-11-24 is a Tuesday. */
static void the_next_time_is_found(void **state)
{
	static const char *const cases[][3] = {
		{ "* * * * *", "2026-11-24 08:30", "2026-11-24 08:31" },
		{ "30 3 * * *", "2026-11-24 03:29", "2026-11-24 03:30" },
		{ "30 3 * * *", "2026-11-24 03:30", "2026-11-25 03:30" },
		{ "*/15 * * * *", "2026-11-24 08:50", "2026-11-24 09:00" },
		{ "5/20 * * * *", "2026-11-24 08:30", "2026-11-24 08:45" },
		{ "0 9-17/4 * * *", "2026-11-24 13:00", "2026-11-24 17:00" },
		{ "0 0 1 * *", "2026-12-01 00:00", "2027-01-01 00:00" },
		{ "0 0 1 jan,jul *", "2026-11-24 08:30", "2027-01-01 00:00" },
		{ "0 12 * * mon-fri", "2026-11-27 12:00", "2026-11-30 12:00" },
		{ "0 12 * * 7", "2026-11-24 08:30", "2026-11-29 12:00" },
		{ "0 12 * * Sun", "2026-11-24 08:30", "2026-11-29 12:00" },
		{ "0 0 31 * *", "2026-11-24 08:30", "2026-12-31 00:00" },
		{ "0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00" },
		{ "59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59" },
		{ "0 0 29 2 *", "2026-11-24 08:30", "2028-02-29 00:00" },
		{ "0 0 29 2 *", "2096-02-29 00:00", "2104-02-29 00:00" },
		{ "@hourly", "2026-11-24 08:30", "2026-11-24 09:00" },
		{ "@daily", "2026-12-31 08:30", "2027-01-01 00:00" },
		{ "@weekly", "2026-11-24 08:30", "2026-11-29 00:00" },
		{ "@monthly", "2026-11-24 08:30", "2026-12-01 00:00" },
		{ "@yearly", "2026-11-24 08:30", "2027-01-01 00:00" },
		{ "0\t0  1 * *", "2026-11-24 08:30", "2026-12-01 00:00" },
		{ "0 0 30 2 *", "2026-11-24 08:30", "never" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		next_is(cases[i][0], cases[i][1], cases[i][2]);
}

static void date_or_weekday_when_both_are_restricted(void **state)
{
	(void)state;
	next_is("0 0 13 * fri", "2026-11-24 08:30", "2026-11-27 00:00");
	next_is("0 0 13 * fri", "2026-12-12 08:30", "2026-12-13 00:00");
	/* A star, even with a step, is no restriction in this sense. */
	next_is("0 0 */2 * fri", "2026-11-24 08:30", "2026-11-27 00:00");
	next_is("0 0 */2 * fri", "2026-11-27 08:30", "2026-12-11 00:00");
}

static void anything_else_is_refused(void **state)
{
	static const char *const wrong[] = { "", "* * * *", "* * * * * *", "60 * * * *",
		"* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8",
		"-1 * * * *", "1- * * * *", "5-1 * * * *", "1,,2 * * * *", ", * * * *",
		"*/0 * * * *", "*/x * * * *", "1/ * * * *", "a * * * *", "* * * foo *",
		"* * * * monday", "@reboot", "@", "1 2 3 4 5 x", "99999999999999999999 * * * *",
		"1.5 * * * *", "*5 * * * *" };
	struct cron_times times;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (cron_read(&times, wrong[i]))
			fail_msg("\"%s\" was taken", wrong[i]);
}

/* Whatever the spec, the next time is later, whole, and none before it matches. */
static void it_is_the_first(void **state)
{
	static const char *const specs[] = { "7 */5 * * *", "0 6 1-7 * 1", "*/13 2,3 * 2-4 *" };

	(void)state;
	for (size_t i = 0; i < COUNT(specs); i++) {
		struct cron_times times;
		int64_t now = at("2026-01-01 00:00"), next;

		assert_true(cron_read(&times, specs[i]));
		for (int round = 0; round < 50; round++, now = next) {
			next = cron_next(&times, now);
			assert_true(next > now && next % 60 == 0);
			assert_int_equal(cron_next(&times, next - 60), next);
			assert_int_equal(cron_next(&times, next - 1), next);
			if (next - 120 >= now)
				assert_int_equal(cron_next(&times, next - 120), next);
		}
	}
}

int main(void)
{
	const struct CMUnitTest cron[] = {
		cmocka_unit_test(the_next_time_is_found),
		cmocka_unit_test(date_or_weekday_when_both_are_restricted),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(it_is_the_first),
	};

	return cmocka_run_group_tests(cron, NULL, NULL);
}
