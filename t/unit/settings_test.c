/* settings_test.c - a configuration file against its table: what is read, and every complaint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/settings.h"

struct horse {
	struct named named;
	long long legs;
	const char *colour;
};
struct herd {
	long long least, most;
};
struct stable {
	const char *title, *place;
	long long grooms; /* so many; 0: as HERD says */
	struct herd herd;
	long long boxes, feeding, hay;
	bool open;
	int mood;
	struct words hands;
	struct groups horses;
};

static void check_stable(const void *filled, struct complaints *complaints)
{
	const struct stable *stable = filled;

	if ((size_t)stable->boxes < stable->horses.count)
		settings_complain(
		    complaints, stable, "boxes", "there are %zu horses", stable->horses.count);
	for (size_t i = 0; i < stable->horses.count; i++) {
		const struct horse *horse = (const struct horse *)stable->horses.item + i;

		if (strcmp(horse->named.name, "pegasus") == 0)
			settings_complain(complaints, horse, NULL, "no wings in here");
		if (horse->legs == 3)
			settings_complain(complaints, horse, "legs", "poor thing");
	}
}

static void check_herd(const void *filled, struct complaints *complaints)
{
	const struct herd *herd = filled;

	if (herd->least > herd->most)
		settings_complain(complaints, herd, "least", "least is more than most");
}

static const char *const moods[] = { "calm", "wild", NULL };

/* clang-format off */
static const struct section horse = { .size = sizeof(struct horse), .settings = (const struct setting[]){
	{ SETTING(struct horse, legs), .required = true, .min = 1, .max = 8 },
	{ SETTING(struct horse, colour), .preset = "brown", .min = 1, .max = 10 },
	{ .name = NULL } } };

static const struct section herd = { .size = sizeof(struct herd), .check = check_herd, .settings = (const struct setting[]){
	{ SETTING(struct herd, least), .preset = "2", .min = 1, .max = 9 },
	{ SETTING(struct herd, most), .required = true, .min = 1, .max = 9 },
	{ .name = NULL } } };

static const struct section stable = { .size = sizeof(struct stable), .check = check_stable,
    .settings = (const struct setting[]){
	{ SETTING(struct stable, title), .required = true },
	{ SETTING(struct stable, place) },
	{ SETTING(struct stable, grooms), .preset = "3", .min = 1, .max = 9 },
	{ .name = "grooms", .kind = SETTING_GROUP, .offset = offsetof(struct stable, herd), .of = &herd },
	{ SETTING(struct stable, boxes), .preset = "4", .min = 1, .max = 512 },
	{ SETTING_AS(struct stable, feeding, SETTING_DURATION), .preset = "10s", .min = 100, .max = 60000 },
	{ SETTING_AS(struct stable, hay, SETTING_SIZE), .preset = "64K" },
	{ SETTING(struct stable, open), .preset = "true" },
	{ SETTING_AS(struct stable, mood, SETTING_CHOICE), .preset = "calm", .one_of = moods },
	{ SETTING(struct stable, hands), .min = 0, .max = 3 },
	{ SETTING(struct stable, horses), .of = &horse },
	{ .name = NULL } } };
/* clang-format on */

/* --- a folder with files, and what reading them says --- */

static char folder[64], where[128], complaints_text[1 << 16];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/settings-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(where, sizeof(where), "%s/stable.conf", folder);
	return chmod(folder, 0755);
}

/* A file of the folder by its full name: the folder is not where the test runs. */
static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path_of("stable.conf"));
	(void)unlink(path_of("more.conf"));
	(void)unlink(path_of("loop.conf"));
	(void)rmdir(path_of("inner"));
	return rmdir(folder);
}

static void write_bytes(const char *name, const char *bytes, size_t length)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* Reads stable.conf by its full name, with which messages begin. */
static const struct stable *read_it(void)
{
	FILE *errors = fmemopen(complaints_text, sizeof(complaints_text), "w");
	const void *filled;

	assert_non_null(errors);
	complaints_text[0] = '\0';
	filled = settings_read(where, &stable, errors);
	fclose(errors);
	return filled;
}

static const struct stable *read_text(const char *text)
{
	write_file("stable.conf", text);
	return read_it();
}

static void give_back(const struct stable *filled)
{
	const void *settings = filled;

	settings_free(&settings);
	assert_null(settings);
}

/* EXPECTED are the complaints, each without the file's name in front. */
static void assert_complaints(const char *const *expected)
{
	char whole[1 << 14] = "";

	for (; *expected != NULL; expected++) {
		size_t length = strlen(whole);

		snprintf(whole + length, sizeof(whole) - length, "%s%s\n", where, *expected);
	}
	assert_string_equal(complaints_text, whole);
}

#define assert_refused(text, ...)                                              \
	do {                                                                   \
		assert_null(read_text(text));                                  \
		assert_complaints((const char *const[]){ __VA_ARGS__, NULL }); \
	} while (0)

/* --- what is read --- */

static void every_kind_is_read(void **state)
{
	const struct stable *read = read_text(
	    "title = \"North\"; boxes = 512; feeding = \"1m\"; hay = \"2K\"; open = false;\n"
	    "mood = \"wild\"; hands = [ \"Ann\", \"Bo\" ];\n"
	    "horses = {\n"
	    "  silver = { legs = 4; };\n"
	    "  gold = { legs = 8; colour = \"gold\"; };\n"
	    "};\n");
	const struct horse *horses;

	(void)state;
	assert_string_equal(complaints_text, "");
	assert_non_null(read);
	assert_string_equal(read->title, "North");
	assert_null(read->place);
	assert_int_equal(read->boxes, 512);
	assert_int_equal(read->feeding, 60000);
	assert_int_equal(read->hay, 2048);
	assert_false(read->open);
	assert_int_equal(read->mood, 1);
	assert_int_equal(read->hands.count, 2);
	assert_string_equal(read->hands.word[1], "Bo");
	assert_null(read->hands.word[2]);
	horses = read->horses.item;
	assert_int_equal(read->horses.count, 2);
	assert_string_equal(horses[0].named.name, "silver");
	assert_string_equal(horses[0].colour, "brown");
	assert_string_equal(horses[1].colour, "gold");
	assert_non_null(strstr(horses[1].named.where, "stable.conf:5"));
	give_back(read);
}

static void what_is_not_said_has_its_default(void **state)
{
	const struct stable *read = read_text("title = \"\";");

	(void)state;
	assert_non_null(read);
	assert_int_equal(read->boxes, 4);
	assert_int_equal(read->feeding, 10000);
	assert_int_equal(read->hay, 65536);
	assert_true(read->open);
	assert_int_equal(read->mood, 0);
	assert_int_equal(read->hands.count, 0);
	assert_int_equal(read->horses.count, 0);
	give_back(read);
}

static void sizes_may_be_numbers_of_64_bits(void **state)
{
	const struct stable *read = read_text("title = \"x\"; hay = 8589934592L;");

	(void)state;
	assert_non_null(read);
	assert_int_equal(read->hay, 8589934592);
	give_back(read);
}

static void freeing_twice_is_harmless(void **state)
{
	const void *none = NULL;

	(void)state;
	settings_free(&none);
	assert_null(none);
}

/* --- complaints --- */

static void an_empty_file_lacks_what_is_required(void **state)
{
	(void)state;
	assert_refused("", ": title is missing");
	assert_refused("# nothing\n\n", ": title is missing");
}

static void all_errors_are_told_in_one_run(void **state)
{
	(void)state;
	assert_refused("boxes = 0;\n"
		       "feeding = \"10\";\n"
		       "hay = \"-1\";\n"
		       "open = 1;\n"
		       "mood = \"mild\";\n"
		       "hands = [ \"a\", \"b\", \"c\", \"d\" ];\n"
		       "horses = {\n"
		       "  silver = { colour = \"\"; };\n"
		       "  tin = 7;\n"
		       "};\n"
		       "boxs = 4;\n"
		       "weather = \"fine\";\n",
	    ": title is missing", ":1: boxes must be 1 to 512, not 0",
	    ":2: feeding must be a number and its unit (ms, s, m, h, d), as \"10s\", not \"10\"",
	    ":3: hay must be bytes, or a number and K, M or G, as \"64K\", not \"-1\"",
	    ":4: open must be true or false", ":5: mood cannot be \"mild\"; did you mean \"wild\"?",
	    ":6: hands must be 0 words to 3 words, not 4 words", ":8: legs is missing",
	    ":8: colour must be 1 bytes to 10 bytes, not 0 bytes",
	    ":9: tin must be a group: tin = { … };",
	    ":11: unknown setting \"boxs\"; did you mean \"boxes\"?",
	    ":12: unknown setting \"weather\"");
}

static void each_kind_says_what_it_must_be(void **state)
{
	(void)state;
	assert_refused("title = 1;", ":1: title must be text in quotes");
	assert_refused("title = true;", ":1: title must be text in quotes");
	assert_refused("title = \"x\"; boxes = \"4\";", ":1: boxes must be a whole number");
	assert_refused("title = \"x\"; boxes = 4.0;", ":1: boxes must be a whole number");
	assert_refused("title = \"x\"; boxes = [ 4 ];", ":1: boxes must be a whole number");
	assert_refused("title = \"x\"; feeding = 10;",
	    ":1: feeding must be a time with its unit, as \"10s\" (ms, s, m, h, d)");
	assert_refused("title = \"x\"; hay = true;", ":1: hay must be bytes, as \"64K\" (K, M, G)");
	assert_refused("title = \"x\"; hay = -1;", ":1: hay must not be negative");
	assert_refused("title = \"x\"; open = \"true\";", ":1: open must be true or false");
	assert_refused("title = \"x\"; mood = 1;", ":1: mood must be one of its words");
	assert_refused("title = \"x\"; mood = \"sullen\";",
	    ":1: mood cannot be \"sullen\": it is one of calm, wild");
	assert_refused("title = \"x\"; hands = \"Ann\";",
	    ":1: hands must be a list of texts: [ \"…\", \"…\" ]");
	assert_refused("title = \"x\"; hands = [ 1, 2 ];",
	    ":1: hands must be a list of texts: [ \"…\", \"…\" ]");
	assert_refused("title = \"x\"; horses = [ \"silver\" ];",
	    ":1: horses must be named groups: { name = { … }; … }");
}

static void a_setting_can_have_two_forms(void **state)
{
	const struct stable *read;

	(void)state;
	read = read_text("title = \"x\";");
	assert_int_equal(read->grooms, 3);
	assert_int_equal(read->herd.most, 0);
	give_back(read);
	read = read_text("title = \"x\"; grooms = 5;");
	assert_int_equal(read->grooms, 5);
	assert_int_equal(read->herd.least, 0);
	give_back(read);
	read = read_text("title = \"x\"; grooms = { most = 7; };");
	assert_int_equal(read->grooms, 0);
	assert_int_equal(read->herd.least, 2);
	assert_int_equal(read->herd.most, 7);
	give_back(read);
	assert_refused("title = \"x\"; grooms = true;",
	    ":1: grooms must be a whole number, or a group: { name = value; … }");
	assert_refused("title = \"x\"; grooms = 10;", ":1: grooms must be 1 to 9, not 10");
	assert_refused("title = \"x\"; grooms = { };", ":1: most is missing");
	assert_refused(
	    "title = \"x\"; grooms = {\n most = 10; };", ":2: most must be 1 to 9, not 10");
	assert_refused("title = \"x\"; grooms = {\n mots = 4; most = 4; };",
	    ":2: unknown setting \"mots\"; did you mean \"most\"?");
	assert_refused(
	    "title = \"x\"; grooms = { most = 4;\n least = 5; };", ":2: least is more than most");
}

static void ranges_hold_at_both_ends(void **state)
{
	(void)state;
	give_back(read_text("title = \"x\"; boxes = 1; feeding = \"100ms\";"));
	give_back(read_text("title = \"x\"; boxes = 512; feeding = \"1m\";"));
	assert_refused("title = \"x\"; boxes = 513;", ":1: boxes must be 1 to 512, not 513");
	assert_refused("title = \"x\"; feeding = \"99ms\";",
	    ":1: feeding must be 100 ms to 60000 ms, not 99 ms");
	assert_refused("title = \"x\"; feeding = \"61s\";",
	    ":1: feeding must be 100 ms to 60000 ms, not 61000 ms");
}

static void a_syntax_error_comes_first_and_alone(void **state)
{
	(void)state;
	assert_refused("boxes = 0;\ntitle = ;\nweather = 1;", ":2: syntax error");
	assert_refused("boxes = 0;\nboxes = 1;\n", ":2: duplicate setting name");
	assert_refused(
	    "horses = { a = { legs = 4; };\n a = { legs = 4; }; };", ":2: duplicate setting name");
}

static void a_check_names_the_line_it_means(void **state)
{
	(void)state;
	assert_refused("title = \"x\";\nboxes = 2;\nhorses = {\n a = { legs = 4; };\n"
		       " b = { legs = 4;\n colour = \"grey\"; legs2 = 1; }; };",
	    ":6: unknown setting \"legs2\"; did you mean \"legs\"?");
	assert_refused("title = \"x\";\nboxes = 1;\nhorses = {\n a = { legs = 4; };\n"
		       " b = {\n legs = 3; };\n pegasus = { legs = 4; }; };",
	    ":2: there are 3 horses", ":6: poor thing", ":7: no wings in here");
}

static void numbers_that_would_wrap_are_refused(void **state)
{
	(void)state;
	assert_refused("title = \"x\";\nboxes = 4294967297;",
	    ":2: the number 4294967297 does not fit 32 bits: write it with an L behind it");
	assert_refused("title = \"x\";\nboxes = 0x100000004;",
	    ":2: the number 0x100000004 does not fit 32 bits: write it with an L behind it");
	write_file("stable.conf", "title = \"x\"; boxes = -4294967295;");
	assert_null(read_it());
	assert_non_null(strstr(complaints_text, ":1: the number -4294967295 does not fit 32 bits"));
	write_file("stable.conf", "title = \"x\"; hay = 18446744073709551617L;");
	assert_null(read_it());
	assert_non_null(
	    strstr(complaints_text, ":1: the number 18446744073709551617L does not fit"));
}

static void digits_in_texts_names_and_comments_are_no_numbers(void **state)
{
	const struct stable *read = read_text("# 4294967297\n// 4294967297\n/* 4294967297\n */\n"
					      "title = \"4294967297 \\\" 4294967297\";\n"
					      "horses = { n4294967297 = { legs = 4; }; };");

	(void)state;
	assert_string_equal(complaints_text, "");
	assert_non_null(read);
	give_back(read);
}

/* --- files --- */

static void an_included_file_is_read_and_named(void **state)
{
	const struct stable *read;

	(void)state;
	write_file("more.conf", "boxes = 7;\n");
	read = read_text("title = \"x\";\n@include \"more.conf\"\n");
	assert_string_equal(complaints_text, "");
	assert_non_null(read);
	assert_int_equal(read->boxes, 7);
	give_back(read);
	write_file("more.conf", "\nboxes = 0;\nhorses = { a = { legs = 9; }; };\n");
	assert_null(read_text("title = \"x\";\n@include \"more.conf\"\n"));
	assert_non_null(strstr(complaints_text, "more.conf:2: boxes must be 1 to 512, not 0\n"));
	assert_non_null(strstr(complaints_text, "more.conf:3: legs must be 1 to 8, not 9\n"));
	assert_null(strstr(complaints_text, "stable.conf"));
	write_file("more.conf", "\nboxes = 4294967297;\n");
	assert_null(read_text("title = \"x\";\n@include \"more.conf\"\n"));
	assert_non_null(strstr(complaints_text, "more.conf:2: the number 4294967297 does not fit"));
}

static void an_include_that_cannot_be_is_an_error(void **state)
{
	static const char *const includes[] = { "missing.conf", "inner", "stable.conf", "loop.conf",
		"" };

	(void)state;
	assert_int_equal(mkdir(path_of("inner"), 0700), 0);
	write_file("loop.conf", "@include \"loop.conf\"\n");
	for (size_t i = 0; i < COUNT(includes); i++) {
		char text[128];

		snprintf(text, sizeof(text), "title = \"x\";\n@include \"%s\"\n", includes[i]);
		assert_null(read_text(text));
		assert_non_null(strstr(complaints_text, folder));
		assert_non_null(strstr(complaints_text, ".conf:"));
		assert_ptr_equal(
		    strchr(complaints_text, '\n'), complaints_text + strlen(complaints_text) - 1);
	}
}

static void a_file_that_is_none_is_refused(void **state)
{
	char *large;

	(void)state;
	(void)unlink(where);
	assert_null(read_it());
	assert_complaints(
	    (const char *const[]){ ": cannot read: No such file or directory", NULL });
	assert_int_equal(mkdir(where, 0700), 0);
	assert_null(read_it());
	assert_complaints((const char *const[]){ ": not a regular file", NULL });
	assert_int_equal(rmdir(where), 0);
	assert_int_equal(mkfifo(where, 0600), 0);
	assert_null(read_it());
	assert_complaints((const char *const[]){ ": not a regular file", NULL });
	assert_int_equal(unlink(where), 0);
	write_bytes("stable.conf", "title = \"x\";\n\0boxes = 0;\n", 25);
	assert_null(read_it());
	assert_complaints((const char *const[]){ ": has a NUL byte in it: not a text file", NULL });
	large = malloc((1 << 20) + 1);
	assert_non_null(large);
	memset(large, '#', (1 << 20) + 1);
	write_bytes("stable.conf", large, (1 << 20) + 1);
	free(large);
	assert_null(read_it());
	assert_complaints((const char *const[]){ ": larger than 1 MB", NULL });
}

static void a_file_that_may_not_be_read_is_refused(void **state)
{
	(void)state;
	write_file("stable.conf", "title = \"x\";");
	assert_int_equal(chmod(where, 0), 0);
	if (geteuid() == 0) {
		/* root reads everything: be somebody else for a moment */
		assert_int_equal(seteuid(65534), 0);
	}
	assert_null(read_it());
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_complaints((const char *const[]){ ": cannot read: Permission denied", NULL });
}

int main(void)
{
	const struct CMUnitTest settings[] = {
		cmocka_unit_test(every_kind_is_read),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(sizes_may_be_numbers_of_64_bits),
		cmocka_unit_test(freeing_twice_is_harmless),
		cmocka_unit_test(an_empty_file_lacks_what_is_required),
		cmocka_unit_test(all_errors_are_told_in_one_run),
		cmocka_unit_test(each_kind_says_what_it_must_be),
		cmocka_unit_test(a_setting_can_have_two_forms),
		cmocka_unit_test(ranges_hold_at_both_ends),
		cmocka_unit_test(a_syntax_error_comes_first_and_alone),
		cmocka_unit_test(a_check_names_the_line_it_means),
		cmocka_unit_test(numbers_that_would_wrap_are_refused),
		cmocka_unit_test(digits_in_texts_names_and_comments_are_no_numbers),
		cmocka_unit_test(an_included_file_is_read_and_named),
		cmocka_unit_test(an_include_that_cannot_be_is_an_error),
		cmocka_unit_test(a_file_that_is_none_is_refused),
		cmocka_unit_test(a_file_that_may_not_be_read_is_refused),
	};

	return cmocka_run_group_tests(settings, make_folder, remove_folder);
}
