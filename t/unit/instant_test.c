/* instant_test.c - points in time as text, and the cursors made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/input/cursor.h"
#include "core/input/instant.h"

static void times_of_rfc_3339_are_valid(void **state)
{
	static const char *const valid[] = { "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.5Z",
		"2026-01-31T23:59:59.123456Z", "2026-01-31T23:59:59+02:00",
		"2026-01-31T23:59:59.1-03:30", "2024-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-31T23:59:59",
		"2026-01-31T23:59:59.5", "2026-01-31T23:59:59+15:59" };

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		if (!instant_is_valid(valid[i]))
			fail_msg("%s was refused", valid[i]);
}

static void other_texts_are_no_times(void **state)
{
	static const char *const wrong[] = { "", "2026", "2026-01-31", "2026-01-31T23:59",
		"2026-01-31 23:59:59Z", "2026-01-31t23:59:59z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"0000-01-01T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T23:60:00Z",
		"2026-01-31T23:59:60Z", "2026-01-31T23:59:59.Z", "2026-01-31T23:59:59.1234567Z",
		"2026-01-31T23:59:59+16:00", "2026-01-31T23:59:59+2:00", "2026-01-31T23:59:59+02",
		"2026-01-31T23:59:59+24:00", "2026-01-31T23:59:59+02:60", "2026-01-31T23:59:59ZZ",
		"2026-01-31T23:59:59Z ", " 2026-01-31T23:59:59Z", "+026-01-31T23:59:59Z",
		"2026-01-31T-1:59:59Z", "infinity", "99999-01-01T00:00:00Z" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (instant_is_valid(wrong[i]))
			fail_msg("\"%s\" was taken for a time", wrong[i]);
}

static void only_an_offset_is_an_offset(void **state)
{
	(void)state;
	assert_false(instant_has_offset("2026-01-31T23:59:59"));
	assert_false(instant_has_offset("2026-01-31T23:59:59.5"));
	assert_true(instant_has_offset("2026-01-31T23:59:59Z"));
	assert_true(instant_has_offset("2026-01-31T23:59:59.5-03:00"));
	assert_true(instant_has_offset("2026-01-31T23:59:59+00:00"));
}

static void days_and_months(void **state)
{
	static const char *const days[] = { "2026-01-31", "2024-02-29", "0001-01-01" };
	static const char *const no_days[] = { "", "2026", "2026-01", "2026-02-29", "2026-01-31 ",
		"2026-1-31", "2026-01-31T00:00:00Z", "0000-01-01", "20260131", "2026/01/31" };
	static const char *const no_months[] = { "", "2026", "2026-", "2026-1", "2026-00",
		"2026-13", "2026-01-31", "0000-01", "202601", "2026-01 " };

	(void)state;
	for (size_t i = 0; i < COUNT(days); i++)
		assert_true(date_is_valid(days[i]));
	for (size_t i = 0; i < COUNT(no_days); i++)
		if (date_is_valid(no_days[i]))
			fail_msg("\"%s\" was taken for a day", no_days[i]);
	assert_true(month_is_valid("2026-12"));
	assert_true(month_is_valid("9999-01"));
	for (size_t i = 0; i < COUNT(no_months); i++)
		if (month_is_valid(no_months[i]))
			fail_msg("\"%s\" was taken for a month", no_months[i]);
}

static void the_database_writes_them_otherwise(void **state)
{
	static const struct {
		const char *sql, *text;
	} times[] = {
		{ "2026-01-31 23:59:59+00", "2026-01-31T23:59:59Z" },
		{ "2026-01-31 23:59:59.123456+00", "2026-01-31T23:59:59.123456Z" },
		{ "infinity", "infinity" },
		{ "-infinity", "-infinity" },
		{ "10000-01-01 00:00:00+00", "10000-01-01 00:00:00+00" },
		{ "", "" },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct buffer out;

		buffer_start(&out, arena, 8);
		instant_add(&out, times[i].sql, strlen(times[i].sql));
		assert_int_equal(out.length, strlen(times[i].text));
		assert_memory_equal(out.data, times[i].text, out.length);
	}
	arena_free(&arena);
}

static void a_cursor_comes_back_as_it_was(void **state)
{
	static const char *const times[] = { "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.1Z",
		"2026-01-31T23:59:59.12Z", "2026-01-31T23:59:59.123456Z" };
	static const long long ids[] = { 0, 1, 42, 1234567890123, INT64_MAX };
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++)
		for (size_t j = 0; j < COUNT(ids); j++) {
			struct cursor cursor = { .time = times[i], .id = ids[j] }, back = { 0 };
			const char *text = cursor_encode(arena, &cursor);

			/* It goes into a query string as it is. */
			assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
						      "qrstuvwxyz0123456789-_"),
			    strlen(text));
			assert_true(cursor_decode(arena, text, &back));
			assert_string_equal(back.time, times[i]);
			assert_int_equal(back.id, ids[j]);
		}
	arena_free(&arena);
}

/* Base64url of the text on the right. */
static void what_is_no_cursor_of_ours_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "a", "abc", "!!!!", "====", "MTIz", /* 123 */
		"LzE",                                  /* /1 */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVo",          /* a time alone */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVov",         /* a time and a slash */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVoveA",       /* …/x */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVovMSAx",     /* …/1 1 */
		"MjAyNi0wMi0zMFQyMzo1OTo1OVovMQ",       /* 30 February */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVovMQ==",     /* padded */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVov+A",       /* plain base64 */
		"MjAyNi0wMS0zMVQyMzo1OTo1OSsyMzo1OS8x", /* 2026-01-31T23:59:59+23:59/1 */
		"aW5maW5pdHkvMQ",                       /* infinity/1 */
		"MjAyNi0wMS0zMVQyMzo1OTo1OVovOTIyMzM3MjAzNjg1NDc3NTgwOA", /* …/2^63 */
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct cursor cursor;

		if (cursor_decode(arena, wrong[i], &cursor))
			fail_msg("\"%s\" was taken for a cursor: %s and %lld", wrong[i],
			    cursor.time, cursor.id);
	}
	arena_free(&arena);
}

static void an_offset_may_lead_into_another_month(void **state)
{
	static const struct {
		const char *instant, *month;
	} cases[] = { { "2025-03-31T23:59:59Z", "2025-03" },
		{ "2025-03-31T23:59:59.999", "2025-03" },
		{ "2025-03-31T22:30:00-03:00", "2025-04" },
		{ "2025-04-01T01:00:00+03:00", "2025-03" },
		{ "2024-12-31T23:00:00-01:00", "2025-01" },
		{ "2025-01-01T00:30:00+00:31", "2024-12" }, { "2024-02-29T23:59:59Z", "2024-02" },
		{ "0001-01-01T00:00:00Z", "0001-01" }, { "9999-12-31T23:59:59Z", "9999-12" } };
	char month[MONTH_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!instant_is_valid(cases[i].instant))
			fail_msg("%s", cases[i].instant);
		instant_month(cases[i].instant, month);
		assert_string_equal(month, cases[i].month);
	}
}

static void an_instant_is_a_number_of_milliseconds(void **state)
{
	static const struct {
		const char *instant;
		long long ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00", 0 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2026-01-31T23:59:59.5Z", 1769903999500 },
		{ "2026-01-31T23:59:59.123456+02:00", 1769896799123 },
		{ "2026-01-31T23:59:59-03:30", 1769916599000 },
		{ "2024-02-29T12:00:00Z", 1709208000000 },
		{ "2000-03-01T00:00:00Z", 951868800000 },
		{ "9999-12-31T23:59:59Z", 253402300799000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(instant_ms(cases[i].instant), cases[i].ms);
}

int main(void)
{
	const struct CMUnitTest instant[] = {
		cmocka_unit_test(times_of_rfc_3339_are_valid),
		cmocka_unit_test(other_texts_are_no_times),
		cmocka_unit_test(only_an_offset_is_an_offset),
		cmocka_unit_test(days_and_months),
		cmocka_unit_test(an_offset_may_lead_into_another_month),
		cmocka_unit_test(an_instant_is_a_number_of_milliseconds),
		cmocka_unit_test(the_database_writes_them_otherwise),
		cmocka_unit_test(a_cursor_comes_back_as_it_was),
		cmocka_unit_test(what_is_no_cursor_of_ours_is_refused),
	};

	return cmocka_run_group_tests(instant, NULL, NULL);
}
