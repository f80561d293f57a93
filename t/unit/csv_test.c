/* csv_test.c - records come out of bytes however they are cut; nothing is dropped in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"

/* What was taken, one record a line: "2: a|b" or "3! what is wrong". */
struct taken {
	struct buffer text;
	int wanted;
};

static bool take(void *context, const struct csv_record *record)
{
	struct taken *taken = context;

	if (record->wrong != NULL) {
		buffer_print(&taken->text, "%lld! %s: %.*s\n", record->line, record->wrong,
		    record->raw_length > 20 ? 20 : (int)record->raw_length, record->raw);
	} else {
		buffer_print(&taken->text, "%lld: ", record->line);
		for (size_t i = 0; i < record->count; i++)
			buffer_print(&taken->text, "%s%s", i > 0 ? "|" : "", record->field[i]);
		buffer_add_char(&taken->text, '\n');
	}
	return --taken->wanted != 0;
}

/* Reads TEXT in pieces of PIECE bytes. */
static const char *read_in_pieces(
    struct arena *arena, const char *text, size_t length, size_t piece)
{
	struct csv_reader *reader = arena_alloc(arena, sizeof(*reader));
	struct taken taken = { .wanted = -1 };
	bool more = true;

	buffer_start(&taken.text, arena, 256);
	csv_start(reader, take, &taken);
	for (size_t at = 0; at < length && more; at += piece)
		more = csv_feed(reader, text + at, length - at < piece ? length - at : piece);
	assert_true(more && csv_finish(reader));
	buffer_add_char(&taken.text, '\0');
	return taken.text.data;
}

static void assert_reads(const char *text, size_t length, const char *expected)
{
	struct arena *arena = arena_new(4096);

	for (size_t piece = 1; piece <= length + 1; piece += piece < 4 ? 1 : piece)
		assert_string_equal(read_in_pieces(arena, text, length, piece), expected);
	arena_free(&arena);
}
#define READS(text, expected) assert_reads(text, sizeof(text) - 1, expected)

static void records_come_out_line_by_line(void **state)
{
	(void)state;
	READS("", "");
	READS("a", "1: a\n");
	READS("a,b\nc,d\n", "1: a|b\n2: c|d\n");
	READS("a,b\r\nc,d", "1: a|b\n2: c|d\n");
	READS("\n\na\n\r\nb", "3: a\n5: b\n");
	READS(",\n,,", "1: |\n2: ||\n");
	READS("\xef\xbb\xbfid,name\n", "1: id|name\n");
}

static void quotes_are_taken_off(void **state)
{
	(void)state;
	READS("\"a,b\",c", "1: a,b|c\n");
	READS("\"say \"\"hello\"\"\",\"\"", "1: say \"hello\"|\n");
	READS("\"\"\"\"", "1: \"\n");
	READS("\"a\"\r\n", "1: a\n");
}

#define QUOTE "has a quote that is not closed or stands inside a field"

static void a_bad_line_costs_itself_alone(void **state)
{
	(void)state;
	READS("a\n\"b,c\nd", "1: a\n2! " QUOTE ": \"b,c\n3: d\n");
	READS("a\"b,c\nd", "1! " QUOTE ": a\"b,c\n2: d\n");
	READS("\"a\"b,c\nd", "1! " QUOTE ": \"a\"b,c\n2: d\n");
	READS("a,\"\nd", "1! " QUOTE ": a,\"\n2: d\n");
	READS("a\0b\nc", "1! has a NUL: a\n2: c\n");
	READS(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\nx",
	    "1! has too many fields: ,,,,,,,,,,,,,,,,,,,,\n2: x\n");
}

static void a_line_has_an_end(void **state)
{
	static char text[CSV_LINE_MOST + 16];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + CSV_LINE_MOST, "\ny", 2);
	memset(text, ',', 10);
	struct arena *arena = arena_new(4096);
	const char *said = read_in_pieces(arena, text, CSV_LINE_MOST + 2, 1000);
	assert_memory_equal(said, "1: ||||||||||xxx", 16);
	assert_non_null(strstr(said, "\n2: y\n"));
	memcpy(text + CSV_LINE_MOST, "x\ny", 3);
	said = read_in_pieces(arena, text, CSV_LINE_MOST + 3, 999);
	assert_string_equal(said, "1! is too long: ,,,,,,,,,,xxxxxxxxxx\n2: y\n");
	arena_free(&arena);
}

static void the_taker_may_have_enough(void **state)
{
	struct arena *arena = arena_new(4096);
	struct csv_reader *reader = arena_alloc(arena, sizeof(*reader));
	struct taken taken = { .wanted = 2 };

	(void)state;
	buffer_start(&taken.text, arena, 256);
	csv_start(reader, take, &taken);
	assert_false(csv_feed(reader, "a\nb\nc\n", 6));
	assert_memory_equal(taken.text.data, "1: a\n2: b\n", 10);
	arena_free(&arena);
}

static void fields_are_quoted_where_they_must_be(void **state)
{
	struct arena *arena = arena_new(4096);
	struct buffer out;

	(void)state;
	buffer_start(&out, arena, 16);
	csv_add(&out, "plain", true);
	csv_add(&out, "", false);
	csv_add(&out, "a,b", false);
	csv_add(&out, "say \"x\"\n", false);
	buffer_add_char(&out, '\0');
	assert_string_equal(out.data, "plain,,\"a,b\",\"say \"\"x\"\"\n\"");
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_line_by_line),
		cmocka_unit_test(quotes_are_taken_off),
		cmocka_unit_test(a_bad_line_costs_itself_alone),
		cmocka_unit_test(a_line_has_an_end),
		cmocka_unit_test(the_taker_may_have_enough),
		cmocka_unit_test(fields_are_quoted_where_they_must_be),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
