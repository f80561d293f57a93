/* wire_test.c - requests and answers of the control socket, hostile ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "supervisor/control/wire.h"
#include "supervisor/pool/pool.h"

static void a_request_comes_back_as_its_verb(void **state)
{
	struct wire_request asked = {
		.verb = "why", .pool = "web", .until = "drained", .number = 42
	};
	struct wire_request heard;
	char *line = wire_request(&asked);

	(void)state;
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_true(wire_read_request(line, strlen(line), &heard));
	assert_string_equal(heard.verb, "why");
	assert_string_equal(heard.pool, "web");
	assert_string_equal(heard.until, "drained");
	assert_int_equal(heard.number, 42);
	assert_false(heard.follow);
	free(line);
}

static void what_is_no_request_is_refused(void **state)
{
	static const char *const wrong[] = { "", "{", "[]", "\"status\"", "{\"verb\":1}",
		"{\"verb\":null}", "{\"verb\":\"\"}", "{\"verb\":\"a\",\"pool\":7}", "{}",
		"{\"verb\":\"a\",\"verb\":\"b\"}", "status", "{\"verb\":\"status\"} more",
		"{\"verb\":"
		"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxx\"}" };
	struct wire_request request;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (wire_read_request(wrong[i], strlen(wrong[i]), &request))
			fail_msg("%s was taken for a request", wrong[i]);
}

static void deep_nesting_does_no_harm(void **state)
{
	char text[WIRE_REQUEST_MOST];
	struct wire_request request;

	(void)state;
	memset(text, '[', sizeof(text));
	assert_false(wire_read_request(text, sizeof(text), &request));
}

static void a_status_comes_back_as_it_was(void **state)
{
	struct arena *arena = arena_new(4096);
	struct pool_conf conf = { .kind = KIND_SERVICE };
	struct worker worker = { .slot = 1,
		.name = "cache",
		.state = WORKER_READY,
		.since = 1,
		.pid = 77,
		.started = 1,
		.restarts = 3,
		.said = "\"quoted\" \xff" };
	struct worker *seats[] = { &worker };
	struct generation generation = { .number = 1,
		.phase = GENERATION_SERVING,
		.plan.conf = &conf,
		.worker = seats,
		.count = 1 };
	struct pool pool = { .name = "cache", .generation = &generation, .newest = &generation };
	struct pool *list[] = { &pool };
	struct pools pools = { .pool = list, .count = 1 };
	struct wire_answer answer;
	char *line;

	(void)state;
	generation.pool = &pool;
	worker.generation = &generation;
	line = wire_status(&pools, 42, 1 + 5 * SECOND_US / 2);
	assert_true(wire_read_answer(arena, line, strlen(line), &answer));
	free(line);
	assert_null(answer.error);
	assert_int_equal(answer.pid, 42);
	assert_string_equal(answer.state, "running");
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.pool[0].name, "cache");
	assert_string_equal(answer.pool[0].kind, "service");
	assert_string_equal(answer.pool[0].state, "ready");
	assert_int_equal(answer.pool[0].worker[0].pid, 77);
	assert_int_equal(answer.pool[0].worker[0].restarts, 3);
	assert_true(answer.pool[0].worker[0].seconds > 2.4);
	assert_string_equal(answer.pool[0].worker[0].said, ""); /* it was no UTF-8 */
	arena_free(&arena);
}

static void an_error_is_an_answer_too(void **state)
{
	struct arena *arena = arena_new(4096);
	struct wire_answer answer;
	char *line = wire_error("no");

	(void)state;
	assert_true(wire_read_answer(arena, line, strlen(line), &answer));
	assert_string_equal(answer.error, "no");
	assert_false(wire_read_answer(arena, "HTTP/1.1 400", 12, &answer));
	free(line);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest wire[] = {
		cmocka_unit_test(a_request_comes_back_as_its_verb),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(deep_nesting_does_no_harm),
		cmocka_unit_test(a_status_comes_back_as_it_was),
		cmocka_unit_test(an_error_is_an_answer_too),
	};

	return cmocka_run_group_tests(wire, NULL, NULL);
}
