/* uri_test.c - percent-encoding, and the way from a path to its route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "core/input/percent.h"
#include "core/journey/router.h"

static void escapes_are_decoded_in_place(void **state)
{
	static const struct {
		const char *text, *path, *form;
	} texts[] = {
		{ "", "", "" },
		{ "plain", "plain", "plain" },
		{ "a+b", "a+b", "a b" },
		{ "a%2Bb%20c", "a+b c", "a+b c" },
		{ "%c3%A9", "\xC3\xA9", "\xC3\xA9" },
		{ "%2525", "%25", "%25" },
		{ "%01%7F", "\x01\x7F", "\x01\x7F" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		snprintf(text, sizeof(text), "%s", texts[i].text);
		assert_true(percent_decode(text, false));
		assert_string_equal(text, texts[i].path);
		snprintf(text, sizeof(text), "%s", texts[i].text);
		assert_true(percent_decode(text, true));
		assert_string_equal(text, texts[i].form);
	}
}

static void broken_escapes_nul_and_broken_utf8_are_refused(void **state)
{
	static const char *const wrong[] = { "%", "a%2", "%g0", "%0g", "%%20", "% 20", "%+1", "%00",
		"a%00b", "%ff", "%c3", "%c3%28", "%ed%a0%80", "%c0%80", "\xFF" };
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(text, sizeof(text), "%s", wrong[i]);
		if (percent_decode(text, false))
			fail_msg("\"%s\" was decoded", wrong[i]);
		snprintf(text, sizeof(text), "%s", wrong[i]);
		if (percent_decode(text, true))
			fail_msg("\"%s\" was decoded as a form", wrong[i]);
	}
}

/* --- the router --- */

static int nothing(struct request *rq)
{
	(void)rq;
	return 0;
}

static const struct feature horses = { .name = "horses",
	.routes = ROUTES({ ROUTE(GET, "/horses", "list", ANYONE, nothing) },
	    { ROUTE(POST, "/horses", "add", ANYONE, nothing) },
	    { ROUTE(GET, "/horses/{id}", "one", ANYONE, nothing) },
	    { ROUTE(DELETE, "/horses/{id}", "sell", ANYONE, nothing) },
	    { ROUTE(GET, "/horses/best", "the best", ANYONE, nothing) },
	    { ROUTE(GET, "/horses/{id}/shoes/{shoe}", "a shoe", ANYONE, nothing) }) };
static const struct feature root = { .name = "root",
	.routes = ROUTES({ ROUTE(GET, "/", "the root", ANYONE, nothing) },
	    { ROUTE(PUT, "/a/b/c/d/e/f", "deep", ANYONE, nothing) },
	    { ROUTE(PATCH, "/a/b", "half way", ANYONE, nothing) }) };
static const struct feature *const features[] = { &horses, &root, NULL };

static struct arena *arena;
static const struct router *router;

static int build(void **state)
{
	(void)state;
	arena = arena_new(4096);
	router = router_build(arena, features);
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const struct place *find(const char *path, const char **values)
{
	return router_find(router, arena_copy(arena, path, strlen(path)), values);
}

static const char *summary(const char *path, enum method method)
{
	const char *values[PATH_NAMES_MOST] = { NULL };
	const struct place *place = find(path, values);

	assert_non_null(place);
	return place->routes[method] != NULL ? place->routes[method]->summary : NULL;
}

static void a_path_finds_its_routes_by_method(void **state)
{
	(void)state;
	assert_string_equal(summary("/", GET), "the root");
	assert_string_equal(summary("/horses", GET), "list");
	assert_string_equal(summary("/horses", POST), "add");
	assert_string_equal(summary("/horses/7", DELETE), "sell");
	assert_string_equal(summary("/a/b", PATCH), "half way");
	assert_string_equal(summary("/a/b/c/d/e/f", PUT), "deep");
	assert_null(summary("/horses", PUT));
	assert_null(summary("/horses/best", DELETE));
}

static void a_literal_segment_wins_over_a_name(void **state)
{
	(void)state;
	assert_string_equal(summary("/horses/best", GET), "the best");
	assert_string_equal(summary("/horses/bes", GET), "one");
	assert_string_equal(summary("/horses/bestest", GET), "one");
}

static void names_take_one_segment_each(void **state)
{
	const char *values[PATH_NAMES_MOST] = { NULL };

	(void)state;
	assert_non_null(find("/horses/a b\xC3\xA9", values));
	assert_string_equal(values[0], "a b\xC3\xA9");
	assert_non_null(find("/horses/7/shoes/front left", values));
	assert_string_equal(values[0], "7");
	assert_string_equal(values[1], "front left");
}

static void other_paths_lead_nowhere(void **state)
{
	static const char *const nowhere[] = { "", "horses", "/horse", "/horsess", "/HORSES",
		"/horses/", "//horses", "/horses//", "/horses/7/", "/horses/7/shoes",
		"/horses/7/shoes/", "/horses/7/shoes/1/", "/horses/7/hats/1", "/a", "/a/b/",
		"/a/b/c", "/a/b/c/d/e/f/g", "//", "/x/y/z/1/2/3/4/5/6/7/8/9" };
	const char *values[PATH_NAMES_MOST];

	(void)state;
	for (size_t i = 0; i < COUNT(nowhere); i++)
		if (find(nowhere[i], values) != NULL)
			fail_msg("\"%s\" leads somewhere", nowhere[i]);
}

static void allow_lists_what_a_place_takes(void **state)
{
	const char *values[PATH_NAMES_MOST];

	(void)state;
	assert_string_equal(
	    router_allow(arena, find("/horses", values)), "GET, HEAD, POST, OPTIONS");
	assert_string_equal(
	    router_allow(arena, find("/horses/1", values)), "GET, HEAD, DELETE, OPTIONS");
	assert_string_equal(router_allow(arena, find("/a/b", values)), "PATCH, OPTIONS");
}

int main(void)
{
	const struct CMUnitTest uri[] = {
		cmocka_unit_test(escapes_are_decoded_in_place),
		cmocka_unit_test(broken_escapes_nul_and_broken_utf8_are_refused),
		cmocka_unit_test(a_path_finds_its_routes_by_method),
		cmocka_unit_test(a_literal_segment_wins_over_a_name),
		cmocka_unit_test(names_take_one_segment_each),
		cmocka_unit_test(other_paths_lead_nowhere),
		cmocka_unit_test(allow_lists_what_a_place_takes),
	};

	return cmocka_run_group_tests(uri, build, destroy);
}
