/* testimony_test.c - what a witness writes is what is read, whatever a process calls itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "supervisor/control/wire.h"
#include "supervisor/record/testimony.h"

static const struct testimony_frame waiting[] = {
	{ "epoll_wait", 0x13, "/lib/libc.so.6", 0x10aef3, "93ac" },
	{ "run_thread", 0x20, "/bin/app", 0x1234, "" },
};
static const struct testimony_frame stuck[] = {
	{ "nanosleep", 0x12, "/lib/libc.so.6", 0xe1e52, "93ac" },
	{ "", 0, "/bin/app", 0x4321, "beef" },
};

static void write_thread(FILE *out, long long tid, const struct testimony_frame *frame)
{
	struct testimony_thread thread = { .tid = &tid,
		.name = "app",
		.state = "S",
		.call = frame == waiting ? "epoll_wait(0x4, 0x7ffc, 0x1)"
					 : "clock_nanosleep(0x0, 0x0, 0x7ffd)",
		.wchan = "",
		.note = "" };

	thread.frame = (struct testimony_frame *)frame;
	thread.frames = 2;
	testimony_write_thread(out, &thread);
}

static const struct testimony *read_back(
    struct arena *arena, FILE *out, char **text, size_t *length)
{
	struct testimony_source source = { .said = "" };

	fclose(out);
	source.text = *text;
	source.length = *length;
	return testimony_read(arena, &source);
}

/* Three threads that wait, and one that is stuck. */
static const struct testimony *four_threads(struct arena *arena)
{
	const struct testimony *testimony;
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	write_thread(out, 11, waiting);
	write_thread(out, 12, waiting);
	write_thread(out, 13, stuck);
	write_thread(out, 14, waiting);
	testimony_write_trouble(out, "it was hard to see");
	testimony = read_back(arena, out, &text, &length);
	free(text);
	return testimony;
}

static void assert_four_threads(const struct testimony *seen)
{
	assert_int_equal(seen->threads, 2);
	assert_int_equal(seen->thread[0].alike, 1);
	assert_int_equal(seen->thread[0].tid[0], 13);
	assert_string_equal(seen->thread[0].call, "clock_nanosleep(0x0, 0x0, 0x7ffd)");
	assert_int_equal(seen->thread[0].frames, 2);
	assert_string_equal(seen->thread[0].frame[1].function, "");
	assert_int_equal(seen->thread[0].frame[1].offset, 0x4321);
	assert_string_equal(seen->thread[0].frame[1].build_id, "beef");
	assert_int_equal(seen->thread[1].alike, 3);
	assert_int_equal(seen->thread[1].tid[2], 14);
	assert_string_equal(seen->trouble, "it was hard to see");
}

static void threads_that_are_alike_are_one_and_who_is_alone_is_first(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_four_threads(four_threads(arena));
	arena_free(&arena);
}

static void what_a_process_calls_itself_cannot_pass_for_more(void **state)
{
	struct arena *arena = arena_new(4096);
	const struct testimony *seen;
	long long tid = 7;
	struct testimony_frame frame = { "f\tg", 1, "/a\nthread\t9\tx", 2, "" };
	struct testimony_thread thread = { .tid = &tid, .name = "a\nthread\t8", .state = "R" };
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	thread.call = thread.wchan = thread.note = "";
	thread.frame = &frame;
	thread.frames = 1;
	testimony_write_thread(out, &thread);
	seen = read_back(arena, out, &text, &length);
	assert_int_equal(seen->threads, 1);
	assert_string_equal(seen->thread[0].name, "a?thread?8");
	assert_string_equal(seen->thread[0].frame[0].function, "f?g");
	assert_string_equal(seen->thread[0].frame[0].module, "/a?thread?9?x");
	free(text);
	arena_free(&arena);
}

static void what_was_cut_off_in_the_middle_is_left_out(void **state)
{
	static const char text[] = "frame\tlost\t1\t/a\t2\t\n"
				   "thread\t7\tapp\tS\t\t\t\n"
				   "frame\tmain\t1\t/a\t2\t\n"
				   "frame\tsta";
	struct testimony_source source = { text, "", sizeof(text) - 1, 0 };
	struct arena *arena = arena_new(4096);
	const struct testimony *seen = testimony_read(arena, &source);

	(void)state;
	assert_int_equal(seen->threads, 1);
	assert_int_equal(seen->thread[0].frames, 1);
	assert_string_equal(seen->thread[0].frame[0].function, "main");
	assert_string_equal(seen->thread[0].frame[0].build_id, "");
	arena_free(&arena);
}

static void of_nothing_there_is_nothing(void **state)
{
	struct testimony_source source = { "", "", 0, 0 };
	struct arena *arena = arena_new(4096);
	const struct testimony *seen = testimony_read(arena, &source);

	(void)state;
	assert_int_equal(seen->threads, 0);
	assert_int_equal(seen->lines, 0);
	assert_string_equal(seen->trouble, "");
	arena_free(&arena);
}

static void what_a_command_prints_is_lines_whatever_it_is(void **state)
{
	static const char said[] = "one\n\x1b[31mtwo\xff\n\nlast";
	struct testimony_source source = { "", said, 0, sizeof(said) - 1 };
	struct arena *arena = arena_new(4096);
	const struct testimony *seen = testimony_read(arena, &source);

	(void)state;
	assert_int_equal(seen->lines, 4);
	assert_string_equal(seen->said[0], "one");
	assert_string_equal(seen->said[1], " [31mtwo\xef\xbf\xbd");
	assert_string_equal(seen->said[2], "");
	assert_string_equal(seen->said[3], "last");
	arena_free(&arena);
}

struct told {
	char line[16][TESTIMONY_LINE];
	size_t count;
};

static void hear(void *owner, const char *line)
{
	struct told *told = owner;

	assert_true(strlen(line) < TESTIMONY_LINE);
	assert_true(told->count < COUNT(told->line));
	strcpy(told->line[told->count++], line);
}

static void people_read_it_line_by_line(void **state)
{
	struct arena *arena = arena_new(4096);
	struct told told = { .count = 0 };

	(void)state;
	testimony_tell(four_threads(arena), &(struct testimony_hearer){ hear, &told });
	assert_int_equal(told.count, 7);
	assert_string_equal(told.line[0], "it was hard to see");
	assert_string_equal(
	    told.line[1], "thread 13 (app), S, in clock_nanosleep(0x0, 0x0, 0x7ffd)");
	assert_string_equal(told.line[2], "#0 nanosleep+0x12 in libc.so.6");
	assert_string_equal(told.line[3], "#1 ?? in /bin/app+0x4321, build beef");
	assert_string_equal(
	    told.line[4], "threads 11, 12, 14 (app), S, in epoll_wait(0x4, 0x7ffc, 0x1)");
	arena_free(&arena);
}

static void a_line_of_people_has_an_end(void **state)
{
	struct arena *arena = arena_new(4096);
	char *name = arena_alloc(arena, 1001);
	struct testimony_source source = { .said = "" };
	struct told told = { .count = 0 };

	(void)state;
	memset(name, 'x', 1000);
	source.text = arena_print(
	    arena, "thread\t7\tapp\tS\t\t\t\nframe\t%s\t1\t/%s\t2\t\n", name, name);
	source.length = strlen(source.text);
	testimony_tell(testimony_read(arena, &source), &(struct testimony_hearer){ hear, &told });
	assert_int_equal(told.count, 2);
	assert_int_equal(strlen(told.line[1]), TESTIMONY_LINE - 1);
	arena_free(&arena);
}

static void it_comes_over_the_control_socket_as_it_was(void **state)
{
	struct arena *arena = arena_new(4096);
	struct trace heard, told = { .pool = "web",
		.slot = 2,
		.pid = 11,
		.generation = 3,
		.reason = "slow_request",
		.request = "GET / for 1.0 s",
		.seconds = 0.25,
		.cut = true,
		.testimony = four_threads(arena) };
	char *line = wire_trace(&told);

	(void)state;
	assert_true(wire_read_trace(arena, line, strlen(line), &heard));
	assert_string_equal(heard.pool, "web");
	assert_string_equal(heard.reason, "slow_request");
	assert_string_equal(heard.request, "GET / for 1.0 s");
	assert_int_equal(heard.slot, 2);
	assert_int_equal(heard.pid, 11);
	assert_int_equal(heard.generation, 3);
	assert_true(heard.seconds > 0.24 && heard.seconds < 0.26);
	assert_true(heard.cut);
	assert_four_threads(heard.testimony);
	free(line);
	assert_false(wire_read_trace(arena, "{}", 2, &heard));
	assert_false(wire_read_trace(arena, "[", 1, &heard));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest testimony[] = {
		cmocka_unit_test(threads_that_are_alike_are_one_and_who_is_alone_is_first),
		cmocka_unit_test(what_a_process_calls_itself_cannot_pass_for_more),
		cmocka_unit_test(what_was_cut_off_in_the_middle_is_left_out),
		cmocka_unit_test(of_nothing_there_is_nothing),
		cmocka_unit_test(what_a_command_prints_is_lines_whatever_it_is),
		cmocka_unit_test(people_read_it_line_by_line),
		cmocka_unit_test(a_line_of_people_has_an_end),
		cmocka_unit_test(it_comes_over_the_control_socket_as_it_was),
	};

	return cmocka_run_group_tests(testimony, NULL, NULL);
}
