/* repeats_test.c - refusals that are alike become one line; no flood writes more than is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/audit/repeats.h"

#define MINUTE (60 * SECOND_US)

static int start(void **state)
{
	*state = repeats_open(MINUTE);
	return 0;
}

static int end(void **state)
{
	struct repeats *repeats = *state;

	repeats_close(&repeats);
	return 0;
}

static bool fails(struct repeats *repeats, const char *actor, const char *address, int64_t now)
{
	return repeats_admit(repeats,
	    &(struct audit_line){ .kind = AUDIT_SIGN_IN_FAILED, .actor = actor }, address, now);
}

/* How many lines are written when all that is counted is taken; *TIMES: what they stand for. */
static int take_all(struct repeats *repeats, int64_t now, long long *times)
{
	struct repeated taken;
	int lines = 0;

	for (*times = 0; repeats_take(repeats, now, true, &taken); lines++)
		*times += taken.times;
	return lines;
}

static void equal_lines_are_counted_in_one(void **state)
{
	struct repeats *repeats = *state;
	struct repeated taken;

	assert_true(fails(repeats, "ana", "192.0.2.1", 1));
	for (int i = 0; i < 1000; i++)
		assert_false(fails(repeats, "ana", "192.0.2.1", 2 + i));
	assert_false(repeats_are_due(repeats, MINUTE));
	assert_false(repeats_take(repeats, MINUTE, false, &taken));
	assert_true(repeats_are_due(repeats, MINUTE + 1));
	assert_true(repeats_take(repeats, MINUTE + 1, false, &taken));
	assert_int_equal(taken.times, 1000);
	assert_int_equal(taken.kind, AUDIT_SIGN_IN_FAILED);
	assert_string_equal(taken.actor, "ana");
	assert_string_equal(taken.subject, "");
	assert_string_equal(taken.address, "192.0.2.1");
	assert_false(repeats_take(repeats, MINUTE + 1, false, &taken));
	assert_false(repeats_are_due(repeats, 10 * MINUTE));
}

static void a_new_minute_begins_with_a_line(void **state)
{
	struct repeats *repeats = *state;

	assert_true(fails(repeats, "ana", "192.0.2.1", 1));
	assert_true(fails(repeats, "ana", "192.0.2.1", 1 + MINUTE));
	assert_false(fails(repeats, "ana", "192.0.2.1", 2 + MINUTE));
}

static void a_count_nobody_took_is_not_lost(void **state)
{
	struct repeats *repeats = *state;
	long long times;

	assert_true(fails(repeats, "ana", "192.0.2.1", 1));
	assert_false(fails(repeats, "ana", "192.0.2.1", 2));
	assert_true(fails(repeats, "ana", "192.0.2.1", 5 * MINUTE));
	assert_int_equal(take_all(repeats, 5 * MINUTE, &times), 1);
	assert_int_equal(times, 1);
}

static void what_differs_is_a_line_of_its_own(void **state)
{
	struct repeats *repeats = *state;
	struct audit_line line = { .kind = AUDIT_SIGN_IN_FAILED, .actor = "ana" };

	assert_true(repeats_admit(repeats, &line, "192.0.2.1", 1));
	assert_true(repeats_admit(repeats, &line, "192.0.2.2", 1));
	assert_true(repeats_admit(repeats, &line, NULL, 1));
	line.actor_id = 7;
	assert_true(repeats_admit(repeats, &line, "192.0.2.1", 1));
	line.subject = "x";
	assert_true(repeats_admit(repeats, &line, "192.0.2.1", 1));
	line.details = "{}";
	assert_true(repeats_admit(repeats, &line, "192.0.2.1", 1));
	line.kind = AUDIT_SIGN_IN_DELAYED;
	assert_true(repeats_admit(repeats, &line, "192.0.2.1", 1));
	assert_false(repeats_admit(repeats, &line, "192.0.2.1", 1));
}

static void a_subscriber_of_ipv6_is_one_network(void **state)
{
	struct repeats *repeats = *state;

	assert_true(fails(repeats, "ana", "2001:db8:1:2::1", 1));
	assert_false(fails(repeats, "ana", "2001:db8:1:2:ffff::9", 2));
	assert_true(fails(repeats, "ana", "2001:db8:1:3::1", 3));
}

/* Each try another user name: what one address can have written stays small. */
static void one_address_writes_its_share(void **state)
{
	struct repeats *repeats = *state;
	char name[32];
	long long times;
	int written = 0, lines;

	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		written += fails(repeats, name, "192.0.2.1", 1 + i);
	}
	assert_int_equal(written, REPEATS_OF_ONE + 1); /* one says what the rest is */
	lines = take_all(repeats, 2 * MINUTE, &times);
	assert_true(lines <= 2);
	assert_int_equal(written + times, 100000);
	assert_true(fails(repeats, "user0", "192.0.2.1", 3 * MINUTE));
}

/* A flood from everywhere is bounded too, and nothing of it goes uncounted. */
static void a_flood_of_addresses_is_bounded(void **state)
{
	struct repeats *repeats = *state;
	char address[32];
	long long times;
	int written = 0, lines;

	for (int i = 0; i < 200000; i++) {
		snprintf(address, sizeof(address), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		written += fails(repeats, "ana", address, 1 + i);
	}
	assert_true(written > 100 && written <= 512 + 1);
	lines = take_all(repeats, 2 * MINUTE, &times);
	assert_true(lines <= 512 + 1);
	assert_int_equal(written + times, 200000);
}

static void long_texts_are_cut_and_still_told_apart(void **state)
{
	struct repeats *repeats = *state;
	struct repeated taken;
	char one[1000], other[1000];

	memset(one, 'a', sizeof(one));
	one[sizeof(one) - 1] = '\0';
	memcpy(other, one, sizeof(one));
	other[sizeof(other) - 2] = 'b';
	assert_true(fails(repeats, one, "192.0.2.1", 1));
	assert_true(fails(repeats, other, "192.0.2.1", 1));
	assert_false(fails(repeats, one, "192.0.2.1", 2));
	assert_true(repeats_take(repeats, 2, true, &taken));
	assert_int_equal(strlen(taken.actor), REPEAT_TEXT - 1);
	one[0] = '\0';
	for (int i = 0; i < 300; i++)
		strcat(one, "\xc3\xa9");
	assert_true(fails(repeats, one, "192.0.2.1", 3));
	assert_false(fails(repeats, one, "192.0.2.1", 3));
	assert_true(repeats_take(repeats, 3, true, &taken));
	assert_int_equal(strlen(taken.actor), REPEAT_TEXT - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_lines_are_counted_in_one, start, end),
		cmocka_unit_test_setup_teardown(a_new_minute_begins_with_a_line, start, end),
		cmocka_unit_test_setup_teardown(a_count_nobody_took_is_not_lost, start, end),
		cmocka_unit_test_setup_teardown(what_differs_is_a_line_of_its_own, start, end),
		cmocka_unit_test_setup_teardown(a_subscriber_of_ipv6_is_one_network, start, end),
		cmocka_unit_test_setup_teardown(one_address_writes_its_share, start, end),
		cmocka_unit_test_setup_teardown(a_flood_of_addresses_is_bounded, start, end),
		cmocka_unit_test_setup_teardown(
		    long_texts_are_cut_and_still_told_apart, start, end),
	};

	return cmocka_run_group_tests_name("repeats", tests, NULL, NULL);
}
