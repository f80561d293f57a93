/* fastcgi_test.c - a request as bytes, and an answer however its bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/system/fastcgi.h"

/* A string literal's bytes, without the NUL behind them. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void a_request_is_whole_and_closes_its_connection(void **state)
{
	static const char expected[] = "\1\1\0\1\0\10\0\0"
				       "\0\1\0\0\0\0\0\0"
				       "\1\4\0\1\0\6\0\0"
				       "\1\3"
				       "A123"
				       "\1\4\0\1\0\0\0\0"
				       "\1\5\0\1\0\0\0\0";
	struct arena *arena = arena_new(512);
	struct buffer out;

	(void)state;
	buffer_start(&out, arena, 64);
	fastcgi_request(&out, (const char *const[]){ "A=123", NULL });
	assert_int_equal(out.length, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.length);
	arena_free(&arena);
}

static void a_long_value_has_a_long_length(void **state)
{
	struct arena *arena = arena_new(512);
	struct buffer out;
	char param[303] = "A=";

	(void)state;
	memset(param + 2, 'x', 300);
	param[302] = '\0';
	buffer_start(&out, arena, 64);
	fastcgi_request(&out, (const char *const[]){ param, NULL });
	/* Behind BEGIN_REQUEST and the head of the record: 1 byte, then 4. */
	assert_memory_equal(out.data + 24, "\1\200\0\1\54A", 6);
	arena_free(&arena);
}

/* Standard output in two records, one of them padded, error output between, and the end. */
static const char answer[] = "\1\6\0\1\0\20\3\0"
			     "Status: 204\r\nX-A"
			     "\0\0\0"
			     "\1\7\0\1\0\5\0\0"
			     "hmpf\n"
			     "\1\6\0\1\0\10\0\0"
			     ": 1\r\n\r\n!"
			     "\1\6\0\1\0\0\0\0"
			     "\1\3\0\1\0\10\0\0"
			     "\0\0\0\7\0\0\0\0";

static void an_answer_is_the_same_however_it_comes(void **state)
{
	const size_t length = sizeof(answer) - 1;

	(void)state;
	for (size_t portion = 1; portion <= length; portion++) {
		struct fastcgi_answer taken = { .ended = false };

		for (size_t at = 0; at < length; at += portion) {
			assert_false(taken.ended);
			assert_true(fastcgi_take(
			    &taken, answer + at, length - at < portion ? length - at : portion));
		}
		assert_true(taken.ended);
		assert_false(taken.refused);
		assert_int_equal(fastcgi_status(&taken), 204);
		assert_string_equal(taken.said, "hmpf\n");
	}
}

static void what_is_longer_than_is_looked_at_is_passed_over(void **state)
{
	struct fastcgi_answer taken = { .ended = false };
	char piece[1000];

	(void)state;
	memset(piece, 'x', sizeof(piece));
	assert_true(fastcgi_take(&taken, BYTES("\1\6\0\1\0\6\0\0A: b\n\n")));
	for (int i = 0; i < 10; i++) {
		assert_true(fastcgi_take(&taken, BYTES("\1\6\0\1\3\350\0\0")));
		assert_true(fastcgi_take(&taken, piece, sizeof(piece)));
	}
	assert_true(fastcgi_take(&taken, BYTES("\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0\0")));
	assert_true(taken.ended);
	assert_int_equal(taken.head_length, FASTCGI_HEAD);
	assert_int_equal(fastcgi_status(&taken), 200);
}

static int status_of(const char *head)
{
	struct fastcgi_answer taken = { .ended = true };

	taken.head_length = strlen(head);
	strcpy(taken.head, head);
	return fastcgi_status(&taken);
}

static void the_status_is_that_of_cgi(void **state)
{
	(void)state;
	assert_int_equal(status_of("Content-Type: a\r\n\r\nStatus: 500"), 200);
	assert_int_equal(status_of("X: y\nstatus:   503 Not now\n\n"), 503);
	assert_int_equal(status_of("Location: /there\r\n\r\n"), 302);
	assert_int_equal(status_of("Content-Type: a\r\n"), 0);
	assert_int_equal(status_of(""), 0);
}

static void a_refusal_is_no_answer(void **state)
{
	struct fastcgi_answer taken = { .ended = false };

	(void)state;
	/* FCGI_OVERLOADED */
	assert_true(fastcgi_take(&taken, BYTES("\1\3\0\1\0\10\0\0\0\0\0\0\2\0\0\0")));
	assert_true(taken.ended);
	assert_true(taken.refused);
}

static void what_is_no_fastcgi_is_refused(void **state)
{
	struct fastcgi_answer taken = { .ended = false };

	(void)state;
	assert_false(fastcgi_take(&taken, BYTES("HTTP/1.1 400 Bad Request\r\n")));
}

int main(void)
{
	const struct CMUnitTest fastcgi[] = {
		cmocka_unit_test(a_request_is_whole_and_closes_its_connection),
		cmocka_unit_test(a_long_value_has_a_long_length),
		cmocka_unit_test(an_answer_is_the_same_however_it_comes),
		cmocka_unit_test(what_is_longer_than_is_looked_at_is_passed_over),
		cmocka_unit_test(the_status_is_that_of_cgi),
		cmocka_unit_test(a_refusal_is_no_answer),
		cmocka_unit_test(what_is_no_fastcgi_is_refused),
	};

	return cmocka_run_group_tests(fastcgi, NULL, NULL);
}
