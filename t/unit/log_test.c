/* log_test.c - what a line of the log looks like, and that nothing logged can break it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/attributes.h"
#include "base/log.h"

/* Standard error while a test runs: a file that is read afterwards. */
static struct capture {
	FILE *file;
	int saved;
	char text[1 << 16];
} capture;

static void capture_begin(void)
{
	capture.file = tmpfile();
	capture.saved = dup(STDERR_FILENO);
	assert_non_null(capture.file);
	assert_true(dup2(fileno(capture.file), STDERR_FILENO) >= 0);
}

static const char *capture_end(void)
{
	size_t length;

	assert_true(dup2(capture.saved, STDERR_FILENO) >= 0);
	close(capture.saved);
	rewind(capture.file);
	length = fread(capture.text, 1, sizeof(capture.text) - 1, capture.file);
	capture.text[length] = '\0';
	fclose(capture.file);
	return capture.text;
}

static void one_newline_at_the_end(const char *text)
{
	assert_true(strlen(text) > 0);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* TEXT as the JSON object that it must be; the caller gives it back. */
static json_t *decoded(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	one_newline_at_the_end(text);
	if (json == NULL)
		fail_msg("not JSON: %s in: %.3000s", error.text, text);
	assert_true(json_is_object(json));
	return json;
}

static const char *member(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (text == NULL)
		fail_msg("no text \"%s\"", name);
	return text;
}

static void a_message_is_a_json_object(void **state)
{
	json_t *json;

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	capture_begin();
	log_warn("a \"%s\"\nwith %d\x1B[31m", "horse", 7);
	json = decoded(capture_end());
	assert_string_equal(member(json, "level"), "warn");
	assert_string_equal(member(json, "message"), "a \"horse\"\nwith 7\x1B[31m");
	assert_int_equal(strlen(member(json, "time")), strlen("2026-01-31T23:59:59.123Z"));
	json_decref(json);
}

static void text_lines_hold_no_control_character(void **state)
{
	const char *text;

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	capture_begin();
	log_error("one\ntwo\x1B[2J\x7F");
	text = capture_end();
	one_newline_at_the_end(text);
	for (const char *p = text; p[1] != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
	assert_non_null(strstr(text, " error one\\ntwo\\u001b[2J\\u007f\n"));
}

static void only_the_level_chosen_and_worse_are_written(void **state)
{
	const char *text;

	(void)state;
	log_setup(LOG_WARN, LOG_TEXT);
	assert_false(log_wants(LOG_INFO));
	assert_true(log_wants(LOG_WARN));
	capture_begin();
	log_debug("no");
	log_info("no");
	log_warn("first");
	log_error("second");
	text = capture_end();
	assert_null(strstr(text, "no\n"));
	assert_non_null(strstr(text, " warn first\n"));
	assert_non_null(strstr(text, " error second\n"));
}

static void named_values_keep_their_kinds(void **state)
{
	struct log_line line;
	json_t *json;

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	capture_begin();
	log_begin(&line, LOG_INFO, "request");
	log_add_text(&line, "route", "/api/\"x\"");
	log_add_bytes(&line, "id", "abcdef", 3);
	log_add_integer(&line, "status", -200);
	log_add_ms(&line, "ms", 1234567);
	log_add_ms(&line, "short", 5);
	log_end(&line, STDERR_FILENO);
	json = decoded(capture_end());
	assert_string_equal(member(json, "route"), "/api/\"x\"");
	assert_string_equal(member(json, "id"), "abc");
	assert_int_equal(json_integer_value(json_object_get(json, "status")), -200);
	assert_float_equal(json_real_value(json_object_get(json, "ms")), 1234.567, 0.0001);
	assert_float_equal(json_real_value(json_object_get(json, "short")), 0.005, 0.0001);
	json_decref(json);
}

static void named_values_stand_behind_a_text_line(void **state)
{
	struct log_line line;
	const char *text;

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	capture_begin();
	log_begin(&line, LOG_INFO, "ready");
	log_add_text(&line, "pool", "web");
	log_add_integer(&line, "workers", 2);
	log_end(&line, STDERR_FILENO);
	text = capture_end();
	assert_non_null(strstr(text, " info ready pool=web workers=2\n"));
}

static void a_line_with_too_much_in_it_stays_json(void **state)
{
	char value[4000];

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	memset(value, '\x01', sizeof(value));
	for (size_t length = 0; length < sizeof(value); length += 13) {
		struct log_line line;
		json_t *json;

		capture_begin();
		log_begin(&line, LOG_INFO, "long");
		log_add_bytes(&line, "value", value, length);
		for (int i = 0; i < 200; i++)
			log_add_integer(&line, "abc" + i % 3, i);
		log_end(&line, STDERR_FILENO);
		(void)capture_end();
		one_newline_at_the_end(capture.text);
		json = json_loads(capture.text, 0, NULL);
		if (json == NULL)
			fail_msg("%zu bytes make no JSON: %.3000s", length, capture.text);
		json_decref(json);
	}
}

/* A message is cut somewhere, which must not be in the middle of an escape or a character. */
static void a_message_of_any_length_stays_json(void **state)
{
	static const char *const pieces[] = { "x", "\x01", "\"", "\xC3\xA9", "\xF0\x9F\x90\xB4",
		"a\x01", "ab\x01" };
	char message[4096];

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	for (size_t i = 0; i < COUNT(pieces); i++)
		for (size_t length = 1; length < 1500; length += length < 280 ? 7 : 1) {
			json_t *json;

			message[0] = '\0';
			for (size_t j = 0; j < length / strlen(pieces[i]); j++)
				memcpy(message + j * strlen(pieces[i]), pieces[i],
				    strlen(pieces[i]) + 1);
			capture_begin();
			log_error("%s", message);
			json = decoded(capture_end());
			json_decref(json);
		}
}

static void a_closed_descriptor_costs_the_line_alone(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	close(STDERR_FILENO);
	log_error("nobody hears");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
}

static void dying_says_why_and_exits_with_one(void **state)
{
	int status;
	pid_t child;
	json_t *json;

	(void)state;
	log_setup(LOG_ERROR, LOG_JSON);
	capture_begin();
	child = fork();
	if (child == 0)
		die("cannot bind %s", "x");
	assert_int_equal(waitpid(child, &status, 0), child);
	json = decoded(capture_end());
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	assert_string_equal(member(json, "message"), "cannot bind x");
	json_decref(json);
}

static void a_bug_says_where_and_aborts(void **state)
{
	int status;
	pid_t child;

	(void)state;
	log_setup(LOG_ERROR, LOG_TEXT);
	capture_begin();
	child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		bug("slot %d twice", 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_non_null(strstr(capture_end(), "slot 3 twice"));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest log[] = {
		cmocka_unit_test(a_message_is_a_json_object),
		cmocka_unit_test(text_lines_hold_no_control_character),
		cmocka_unit_test(only_the_level_chosen_and_worse_are_written),
		cmocka_unit_test(named_values_keep_their_kinds),
		cmocka_unit_test(named_values_stand_behind_a_text_line),
		cmocka_unit_test(a_line_with_too_much_in_it_stays_json),
		cmocka_unit_test(a_message_of_any_length_stays_json),
		cmocka_unit_test(a_closed_descriptor_costs_the_line_alone),
		cmocka_unit_test(dying_says_why_and_exits_with_one),
		cmocka_unit_test(a_bug_says_where_and_aborts),
	};

	return cmocka_run_group_tests(log, NULL, NULL);
}
