/* simulate_test.c - events that are made up: the same of the same seed, and each of them
 * believable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "features/events/events.h"

#define EVENTS_MADE 40000
#define NOW         "2026-01-31T12:00:00.000Z"

static struct {
	struct arena *arena;
	struct event event[EVENTS_MADE];
	void *simulation;
} made;

static void *simulate(unsigned long long seed, struct event *event, int count)
{
	void *simulation = events_simulation.begin(made.arena, seed);

	for (int i = 0; i < count; i++)
		events_simulation.next(simulation, made.arena, NOW, &event[i]);
	return simulation;
}

static int start(void **state)
{
	(void)state;
	made.arena = arena_new(0);
	made.simulation = simulate(42, made.event, EVENTS_MADE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&made.arena);
	return 0;
}

static bool is(const struct event *event, const char *type)
{
	return strcmp(event->event_type, type) == 0;
}

static int count(const char *type)
{
	int n = 0;

	for (int i = 0; i < EVENTS_MADE; i++)
		n += is(&made.event[i], type);
	return n;
}

static void the_same_come_of_the_same_seed(void **state)
{
	static struct event again[1000], other[1000];
	int differ = 0;

	(void)state;
	simulate(42, again, 1000);
	simulate(43, other, 1000);
	for (int i = 0; i < 1000; i++) {
		const struct event *first = &made.event[i];

		assert_string_equal(first->event_id, again[i].event_id);
		assert_string_equal(first->event_type, again[i].event_type);
		assert_string_equal(first->user_id, again[i].user_id);
		assert_string_equal(first->session_id, again[i].session_id);
		assert_int_equal(first->quantity, again[i].quantity);
		if (first->product != NULL)
			assert_string_equal(first->product->id, again[i].product->id);
		assert_string_not_equal(first->event_id, other[i].event_id);
		differ += strcmp(first->user_id, other[i].user_id) != 0;
	}
	assert_true(differ > 900);
}

static void ids_grow(void **state)
{
	(void)state;
	for (int i = 0; i < EVENTS_MADE; i++) {
		assert_int_equal(strlen(made.event[i].event_id), 36);
		assert_int_equal(made.event[i].event_id[14], '8');
		if (i > 0)
			assert_true(strcmp(made.event[i - 1].event_id, made.event[i].event_id) < 0);
	}
}

static void each_has_what_its_type_needs(void **state)
{
	(void)state;
	for (int i = 0; i < EVENTS_MADE; i++) {
		const struct event *event = &made.event[i];

		assert_string_equal(event->timestamp, NOW);
		if (is(event, "search")) {
			assert_true(event->query != NULL && event->query[0] > ' ');
			assert_null(event->product);
		} else if (!is(event, "page_view")) {
			assert_non_null(event->product);
			assert_true(event->quantity > 0);
		}
		assert_int_equal(event->payment_method != NULL, is(event, "purchase"));
		assert_int_equal(event->total_amount != NULL, is(event, "purchase"));
	}
}

static void what_is_paid_is_price_times_quantity(void **state)
{
	(void)state;
	for (int i = 0; i < EVENTS_MADE; i++) {
		const struct event *event = &made.event[i];

		if (!is(event, "purchase"))
			continue;
		assert_int_equal((long long)(strtod(event->total_amount, NULL) * 100 + 0.5),
		    event->quantity * (long long)(strtod(event->product->price, NULL) * 100 + 0.5));
	}
}

/* Nobody buys or takes out what they have not put into their cart, or more often than that. */
static void a_session_makes_sense(void **state)
{
	(void)state;
	for (int i = 0; i < 4000; i++) {
		const struct event *event = &made.event[i];
		int in = 0, out = 0;

		if (!is(event, "purchase") && !is(event, "remove_from_cart"))
			continue;
		for (int j = 0; j <= i; j++) {
			const struct event *before = &made.event[j];

			if (strcmp(before->session_id, event->session_id) != 0)
				continue;
			assert_string_equal(before->user_id, event->user_id);
			if (before->product == NULL || is(before, "page_view") ||
			    strcmp(before->product->id, event->product->id) != 0)
				continue;
			if (is(before, "add_to_cart"))
				in++;
			else
				out++;
		}
		assert_true(in >= out);
	}
}

static void most_look_some_want_and_few_buy(void **state)
{
	int views = count("page_view"), searches = count("search"), adds = count("add_to_cart"),
	    removals = count("remove_from_cart"), purchases = count("purchase");

	(void)state;
	assert_true(
	    views > searches && searches > adds && adds > purchases && purchases > removals);
	assert_in_range(views * 100 / EVENTS_MADE, 50, 75);
	assert_in_range(purchases * 1000 / EVENTS_MADE, 20, 80);
}

static void it_tells_what_it_came_to(void **state)
{
	struct buffer out;

	(void)state;
	buffer_start(&out, made.arena, 100);
	events_simulation.tell(made.simulation, &out);
	buffer_add_char(&out, '\0');
	assert_non_null(strstr(out.data, "page_view"));
	assert_non_null(strstr(out.data, "revenue"));
}

int main(void)
{
	const struct CMUnitTest simulate[] = {
		cmocka_unit_test(the_same_come_of_the_same_seed),
		cmocka_unit_test(ids_grow),
		cmocka_unit_test(each_has_what_its_type_needs),
		cmocka_unit_test(what_is_paid_is_price_times_quantity),
		cmocka_unit_test(a_session_makes_sense),
		cmocka_unit_test(most_look_some_want_and_few_buy),
		cmocka_unit_test(it_tells_what_it_came_to),
	};

	return cmocka_run_group_tests(simulate, start, end);
}
