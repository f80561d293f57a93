/*
 * object_test.c - objects are written whole or not at all, read, listed and dropped.
 *
 * The store is a new folder, unless OBJECT_STORE names another: t/objects.t runs
 * the same against a bucket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "store/object.h"

static struct arena *arena;
static struct object_store *store;
static char folder[] = "/tmp/ostler-objects-XXXXXX";

static int set_up(void **state)
{
	const char *where = getenv("OBJECT_STORE"), *wrong = NULL;
	struct object_options options = { .where = where,
		.endpoint = getenv("OBJECT_ENDPOINT"),
		.region = "eu-west-1",
		.timeout_ms = 10000 };

	(void)state;
	arena = arena_new(64 << 10);
	if (where == NULL && mkdtemp(folder) != NULL)
		options.where = arena_print(arena, "file:%s/objects", folder);
	store = object_open(&options, arena, &wrong);
	if (store == NULL)
		fail_msg("%s", wrong);
	return 0;
}

static int tear_down(void **state)
{
	struct object_list list;

	(void)state;
	assert_int_equal(object_find(store, arena, "", &list), OBJECT_DONE);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(object_drop(store, list.object[i].key), OBJECT_DONE);
	object_close(&store);
	object_close(&store); /* twice is harmless */
	if (getenv("OBJECT_STORE") == NULL)
		assert_int_equal(system(arena_print(arena, "rm -rf %s", folder)), 0);
	arena_free(&arena);
	return 0;
}

/* --- what comes and goes: a pattern that no two places share --- */

struct stream {
	long long at, ends; /* the source gives up at ENDS, the sink too; -1: never */
	long long wrong;
};

static char byte_at(long long place)
{
	return (char)((place * 31 + place / 251) & 0xff);
}

static long give_bytes(void *context, char *bytes, size_t room)
{
	struct stream *stream = context;

	if (stream->ends >= 0 && stream->at + (long long)room > stream->ends)
		return stream->at % 2 == 0 ? -1 : 0;
	for (size_t i = 0; i < room; i++)
		bytes[i] = byte_at(stream->at++);
	return (long)room;
}

static bool take_bytes(void *context, const char *bytes, size_t length)
{
	struct stream *stream = context;

	for (size_t i = 0; i < length; i++)
		stream->wrong += bytes[i] != byte_at(stream->at++);
	return stream->ends < 0 || stream->at <= stream->ends;
}

static enum object_fate put(const char *key, long long length, long long ends)
{
	struct stream stream = { .ends = ends };

	return object_put(store, key, length, give_bytes, &stream);
}

static void assert_holds(const char *key, long long length)
{
	struct stream stream = { .ends = -1 };

	assert_int_equal(object_get(store, key, take_bytes, &stream), OBJECT_DONE);
	assert_int_equal(stream.at, length);
	assert_int_equal(stream.wrong, 0);
}

/* --- the tests --- */

static void an_object_comes_back_as_it_was(void **state)
{
	static const long long lengths[] = { 0, 1, 65535, 65536, 65537, 3 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(put("a/b/object", lengths[i], -1), OBJECT_DONE);
		assert_holds("a/b/object", lengths[i]);
	}
	assert_int_equal(object_drop(store, "a/b/object"), OBJECT_DONE);
}

static void what_is_missing_is_said(void **state)
{
	struct stream stream = { .ends = -1 };

	(void)state;
	assert_int_equal(object_get(store, "no/such", take_bytes, &stream), OBJECT_MISSING);
	assert_int_equal(stream.at, 0);
	assert_int_equal(object_drop(store, "no/such"), OBJECT_DONE);
}

static void a_writer_that_gives_up_changes_nothing(void **state)
{
	struct object_list list;

	(void)state;
	assert_int_equal(put("kept", 1000, -1), OBJECT_DONE);
	assert_int_equal(put("kept", 3 << 20, 2 << 20), OBJECT_CUT);
	assert_int_equal(put("kept", 100, 0), OBJECT_CUT);
	assert_holds("kept", 1000);
	assert_int_equal(put("never", 1 << 20, 300000), OBJECT_CUT);
	assert_int_equal(object_find(store, arena, "", &list), OBJECT_DONE);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.object[0].key, "kept");
	assert_int_equal(list.object[0].bytes, 1000);
	assert_int_equal(object_drop(store, "kept"), OBJECT_DONE);
}

static void a_reader_may_stop(void **state)
{
	struct stream stream = { .ends = 100000 };

	(void)state;
	assert_int_equal(put("long", 3 << 20, -1), OBJECT_DONE);
	assert_int_equal(object_get(store, "long", take_bytes, &stream), OBJECT_CUT);
	assert_true(stream.at < 2 << 20);
	assert_holds("long", 3 << 20);
	assert_int_equal(object_drop(store, "long"), OBJECT_DONE);
}

static void objects_are_found_by_prefix_in_order(void **state)
{
	static const char *const keys[] = { "m/2025-01/b", "m/2025-01/a", "m/2025-01",
		"m/2025-02/a", "m-x", "n" };
	struct object_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		/* A folder cannot have a file and a folder of one name; a bucket can. */
		if (strcmp(keys[i], "m/2025-01") != 0)
			assert_int_equal(put(keys[i], (long long)i, -1), OBJECT_DONE);
	}
	assert_int_equal(object_find(store, arena, "", &list), OBJECT_DONE);
	assert_int_equal(list.count, 5);
	assert_string_equal(list.object[0].key, "m-x");
	assert_string_equal(list.object[1].key, "m/2025-01/a");
	assert_int_equal(object_find(store, arena, "m/2025-01/", &list), OBJECT_DONE);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.object[1].key, "m/2025-01/b");
	assert_int_equal(object_find(store, arena, "nothing/", &list), OBJECT_DONE);
	assert_int_equal(list.count, 0);
}

static void more_than_a_page_is_found(void **state)
{
	const char *many = getenv("OBJECT_MANY");
	int count = many != NULL ? atoi(many) : 1003;
	struct object_list list;

	(void)state;
	for (int i = 0; i < count; i++)
		assert_int_equal(put(arena_print(arena, "many/%04d", i), 1, -1), OBJECT_DONE);
	assert_int_equal(object_find(store, arena, "many/", &list), OBJECT_DONE);
	assert_int_equal(list.count, count);
	assert_string_equal(list.object[count - 1].key, arena_print(arena, "many/%04d", count - 1));
}

static void keys_are_plain(void **state)
{
	char longest[OBJECT_KEY_MOST + 2];

	(void)state;
	assert_true(object_key_is_valid("vendas/2025-01/raw_file.csv"));
	assert_false(object_key_is_valid(""));
	assert_false(object_key_is_valid("/a"));
	assert_false(object_key_is_valid("a/"));
	assert_false(object_key_is_valid("a//b"));
	assert_false(object_key_is_valid("a/../b"));
	assert_false(object_key_is_valid(".hidden"));
	assert_false(object_key_is_valid("a b"));
	assert_false(object_key_is_valid("a\nb"));
	assert_false(object_key_is_valid("\xc3\xa9"));
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 100; i < sizeof(longest); i += 100)
		longest[i] = '/';
	longest[OBJECT_KEY_MOST + 1] = '\0';
	assert_false(object_key_is_valid(longest));
	longest[OBJECT_KEY_MOST - 1] = '\0';
	assert_true(object_key_is_valid(longest));
}

static void a_store_that_cannot_be_is_explained(void **state)
{
	static const struct {
		struct object_options options;
		const char *wrong;
	} cases[] = {
		{ { .where = "relative" },
		    "must be \"file:/a/folder\" or \"s3:bucket\", not \"relative\"" },
		{ { .where = "file:relative" }, "relative is no absolute path" },
		{ { .where = "file:/dev/null/x" }, "cannot make /dev/null/x: Not a directory" },
		{ { .where = "s3:" }, "s3: names no bucket" },
		{ { .where = "s3:b/../c", .endpoint = "http://localhost:1" },
		    "s3: has a prefix that no key can have" },
		{ { .where = "s3:b", .endpoint = "localhost:1" },
		    "s3: needs an endpoint that begins with https:// or http://" },
		{ { .where = "s3:b", .endpoint = "http://localhost:1" }, "s3: needs a region" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *wrong = NULL;

		assert_null(object_open(&cases[i].options, arena, &wrong));
		assert_string_equal(wrong, cases[i].wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_comes_back_as_it_was),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(a_writer_that_gives_up_changes_nothing),
		cmocka_unit_test(a_reader_may_stop),
		cmocka_unit_test(objects_are_found_by_prefix_in_order),
		cmocka_unit_test(more_than_a_page_is_found),
		cmocka_unit_test(keys_are_plain),
		cmocka_unit_test(a_store_that_cannot_be_is_explained),
	};

	return cmocka_run_group_tests_name("object", tests, set_up, tear_down);
}
