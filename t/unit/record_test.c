/* record_test.c - structs written as JSON by their shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/answer/json.h"
#include "core/answer/record.h"
#include "core/input/cursor.h"

struct owner {
	const char *name;
};
struct horse {
	long long id;
	const char *name, *price, *born;
	double weight;
	bool sold;
	struct cursor after;
};
struct stable {
	const struct owner *owner;
	struct list owners, marks;
};

/* clang-format off */
static const struct shape horse = SHAPE(struct horse,
	{ FIELD(struct horse, id) }, { FIELD(struct horse, name) },
	{ FIELD_AS(struct horse, price, MONEY) }, { FIELD_AS(struct horse, born, DATE) },
	{ FIELD(struct horse, weight) }, { FIELD(struct horse, sold) },
	{ FIELD(struct horse, after) });

static const struct shape owner = SHAPE(struct owner, { FIELD(struct owner, name) });
static const struct shape stable = SHAPE(struct stable,
	{ FIELD_AS(struct stable, owner, OBJECT), .of = &owner },
	{ FIELD_AS(struct stable, owners, OBJECT), .of = &owner, .many = 9 },
	{ FIELD_AS(struct stable, marks, INTEGER), .many = 9 });
/* clang-format on */

static void assert_shaped(const struct shape *shape, const void *record, const char *expected)
{
	struct arena *arena = arena_new(256);
	struct buffer out;

	buffer_start(&out, arena, 1);
	record_write(&out, shape, record);
	buffer_add_char(&out, '\0');
	assert_string_equal(out.data, expected);
	arena_free(&arena);
}

static void assert_written(const struct horse *record, const char *expected)
{
	assert_shaped(&horse, record, expected);
}

static void every_kind_is_written_as_the_document_says(void **state)
{
	(void)state;
	assert_written(&(struct horse){ .id = -7,
			   .name = "Bru\"no\"",
			   .price = "1250.50",
			   .born = "2020-05-01",
			   .weight = 450.5,
			   .sold = true,
			   .after = { "2026-01-31T23:59:59Z", 8 } },
	    "{\"id\":-7,\"name\":\"Bru\\\"no\\\"\",\"price\":1250.50,\"born\":\"2020-05-01\","
	    "\"weight\":450.5,\"sold\":true,\"after\":\"MjAyNi0wMS0zMVQyMzo1OTo1OVovOA\"}");
}

static void what_is_not_there_is_null(void **state)
{
	(void)state;
	assert_written(&(struct horse){ .weight = INFINITY },
	    "{\"id\":0,\"name\":null,\"price\":null,\"born\":null,\"weight\":null,\"sold\":false,"
	    "\"after\":null}");
}

static void a_number_has_the_digits_it_needs(void **state)
{
	static const struct {
		double number;
		const char *text;
	} cases[] = { { 0.1, "0.1" }, { 1.0 / 3, "0.3333333333333333" }, { 1e300, "1e+300" },
		{ -0.5, "-0.5" }, { 0.1 + 0.2, "0.30000000000000004" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char expected[256];

		snprintf(expected, sizeof(expected),
		    "{\"id\":0,\"name\":null,\"price\":null,\"born\":null,\"weight\":%s,"
		    "\"sold\":false,\"after\":null}",
		    cases[i].text);
		assert_written(&(struct horse){ .weight = cases[i].number }, expected);
	}
}

static void objects_and_lists_are_written_within(void **state)
{
	static const struct owner owners[] = { { "Ana" }, { NULL } };
	static const long long marks[] = { 7, -1 };
	const struct stable whole = { .owner = &owners[0],
		.owners = { owners, 2, sizeof(owners[0]), &stable.fields[1] },
		.marks = { marks, 2, sizeof(marks[0]), &stable.fields[2] } };

	(void)state;
	assert_shaped(&stable, &whole,
	    "{\"owner\":{\"name\":\"Ana\"},\"owners\":[{\"name\":\"Ana\"},{\"name\":null}],"
	    "\"marks\":[7,-1]}");
	assert_shaped(
	    &stable, &(struct stable){ 0 }, "{\"owner\":null,\"owners\":[],\"marks\":[]}");
}

int main(void)
{
	const struct CMUnitTest record[] = {
		cmocka_unit_test(every_kind_is_written_as_the_document_says),
		cmocka_unit_test(what_is_not_there_is_null),
		cmocka_unit_test(objects_and_lists_are_written_within),
		cmocka_unit_test(a_number_has_the_digits_it_needs),
	};

	return cmocka_run_group_tests(record, NULL, NULL);
}
