/* traces_test.c - how a span is written down and sent, and how an event carries its trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/events/carried.h"
#include "core/traces/export.h"

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static char path[64], lock[80];
static struct tracer tracer;
static struct application app = { .tracer = &tracer };

static int start(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/traces-test-%d", (int)getpid());
	snprintf(lock, sizeof(lock), "%s.lock", path);
	tracer.ring = ring_open(path, 64);
	return tracer.ring == NULL;
}

static int end(void **state)
{
	(void)state;
	ring_close(&tracer.ring);
	unlink(path);
	unlink(lock);
	return 0;
}

/* Tells of a statement and returns what would be sent, NUL-terminated. */
static const char *told(struct arena *arena, const char *sql)
{
	struct span_scope scope = { .tracer = &tracer,
		.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
		.parent = 0xabc,
		.seed = 1 };
	const struct otlp_resource resource = { "app", "1", "here" };
	const void *records[2];
	struct buffer out;

	span_scope = &scope;
	span_tell(clock_now() - 5000,
	    &(struct span_note){ .name = "SELECT",
		.kind = SPAN_CLIENT,
		.failed = true,
		.attribute = { { "db.query.text", sql, 0 }, { "rows", NULL, 7 } } });
	span_scope = NULL;
	assert_int_equal(ring_read(tracer.ring, records, 2), 1);
	buffer_start(&out, arena, 64);
	otlp_write(&out, &resource, (const struct span_record *const *)records, 1);
	ring_let_go(tracer.ring, records, 1);
	buffer_add_char(&out, '\0');
	return out.data;
}

static void a_span_is_written_as_otlp_has_it(void **state)
{
	struct arena *arena = arena_new(0);
	const char *json = told(arena, "SELECT \"x\" = $1");

	(void)state;
	assert_non_null(strstr(json, "\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\""));
	assert_non_null(strstr(json, "\"parentSpanId\":\"0000000000000abc\""));
	assert_non_null(strstr(json, "\"kind\":3"));
	assert_non_null(strstr(json, "{\"key\":\"db.query.text\",\"value\":{\"stringValue\":"
				     "\"SELECT \\\"x\\\" = $1\"}}"));
	assert_non_null(strstr(json, "{\"key\":\"rows\",\"value\":{\"intValue\":\"7\"}}"));
	assert_non_null(strstr(json, "\"status\":{\"code\":2}"));
	arena_free(&arena);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
	struct arena *arena = arena_new(0);
	char sql[2048];
	const char *json;

	(void)state;
	for (size_t i = 0; i < sizeof(sql) - 2; i += 2)
		memcpy(sql + i, "é", 3);
	for (int shift = 0; shift < 2; shift++) {
		json = told(arena, sql + 2 * shift);
		assert_true(text_code_points(json, strlen(json)) > 0);
		assert_non_null(strstr(json, "\"status\""));
		sql[2] = 'x'; /* the rest begins at an odd place now */
		memmove(sql + 3, sql + 4, sizeof(sql) - 5);
	}
	arena_free(&arena);
}

static void an_answer_is_judged_by_its_status(void **state)
{
	static const struct {
		int status;
		enum export_fate fate;
	} cases[] = { { 200, EXPORT_TAKEN }, { 202, EXPORT_TAKEN }, { 0, EXPORT_LATER },
		{ 429, EXPORT_LATER }, { 502, EXPORT_LATER }, { 503, EXPORT_LATER },
		{ 504, EXPORT_LATER }, { 400, EXPORT_REFUSED }, { 401, EXPORT_REFUSED },
		{ 404, EXPORT_REFUSED }, { 413, EXPORT_REFUSED }, { 500, EXPORT_REFUSED } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    export_judge(&(struct collector_answer){ .status = cases[i].status }),
		    cases[i].fate);
}

static void an_event_carries_its_trace(void **state)
{
	struct batch batch;
	struct broker_message messages[] = { { "k", "{\"id\":\"1\"}", 10 },
		{ "k", "{\"id\":\"2\"}", 10 } };
	size_t length;

	(void)state;
	batch_init(&batch);
	batch_begin(&batch, &app);
	carried_add(batch.arena, messages, 2, PARENT);
	for (int i = 0; i < 2; i++) {
		const struct broker_delivery message = { .body = messages[i].body,
			.length = messages[i].length };
		const char *event = carried_take(&batch, &message, &length);

		assert_int_equal(messages[i].length, strlen(messages[i].body));
		assert_int_equal(length, 10);
		assert_memory_equal(event, i == 0 ? "{\"id\":\"1\"}" : "{\"id\":\"2\"}", 11);
	}
	assert_int_equal(batch.carried_count, 1);
	batch_free(&batch);
}

static void what_carries_none_stays_as_it_is(void **state)
{
	static const char *const bodies[] = { "", "{}", "{\"id\":\"1\"}",
		"{\"a\":\"this is an event that is long enough to have something behind it, but "
		"has "
		"not\"}",
		"{\"traceparent\":\"" PARENT "\"}" };
	struct batch batch;
	size_t length;

	(void)state;
	batch_init(&batch);
	batch_begin(&batch, &app);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		const struct broker_delivery message = { .body = bodies[i],
			.length = strlen(bodies[i]) };

		assert_ptr_equal(carried_take(&batch, &message, &length), bodies[i]);
		assert_int_equal(length, strlen(bodies[i]));
	}
	assert_int_equal(batch.carried_count, 0);
	batch_free(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_span_is_written_as_otlp_has_it),
		cmocka_unit_test(what_is_too_long_is_cut_between_characters),
		cmocka_unit_test(an_answer_is_judged_by_its_status),
		cmocka_unit_test(an_event_carries_its_trace),
		cmocka_unit_test(what_carries_none_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, start, end);
}
