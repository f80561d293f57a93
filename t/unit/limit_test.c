/* limit_test.c - limits as they are written, and as /proc shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/system/limit.h"

static void a_limit_is_one_value_or_two(void **state)
{
	static const struct {
		const char *text;
		int resource;
		rlim_t soft, hard;
	} good[] = {
		{ "nofile=1024", RLIMIT_NOFILE, 1024, 1024 },
		{ "nofile=1024:4096", RLIMIT_NOFILE, 1024, 4096 },
		{ "core=0:unlimited", RLIMIT_CORE, 0, RLIM_INFINITY },
		{ "as=2G", RLIMIT_AS, (rlim_t)2 << 30, (rlim_t)2 << 30 },
		{ "memlock=64K:1M", RLIMIT_MEMLOCK, 65536, 1 << 20 },
		{ "cpu=unlimited", RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct limit limit;

		assert_null(limit_parse(arena, good[i].text, &limit));
		assert_int_equal(limit.resource, good[i].resource);
		assert_true(limit.value.rlim_cur == good[i].soft);
		assert_true(limit.value.rlim_max == good[i].hard);
	}
	arena_free(&arena);
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = { "", "nofile", "=3", "nofile=", "nofile=-1",
		"nofile=1:", "nofile=:1", "nofile=1:2:3", "nofile=1K", "nofile=2:1", "as=1Q",
		"NOFILE=1", "nofile =1", "core=unlimited:0" };
	struct arena *arena = arena_new(1024);
	struct limit limit;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(limit_parse(arena, bad[i], &limit));
	arena_free(&arena);
}

/* A kernel of 2023. */
static const char shown[] =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max cpu time              unlimited            unlimited            seconds   \n"
    "Max file size             unlimited            unlimited            bytes     \n"
    "Max core file size        0                    unlimited            bytes     \n"
    "Max open files            1024                 524288               files     \n";

static void limits_are_read_from_proc(void **state)
{
	struct limit limit;
	bool seen = false;

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		if (!limit_read(shown, i, &limit) || limit.resource != RLIMIT_NOFILE)
			continue;
		seen = true;
		assert_true(limit.value.rlim_cur == 1024);
		assert_true(limit.value.rlim_max == 524288);
		assert_string_equal(limit_name(limit.resource), "nofile");
	}
	assert_true(seen);
	assert_false(limit_read(shown, 99, &limit));
	assert_false(limit_read("", 0, &limit));
}

int main(void)
{
	const struct CMUnitTest limits[] = {
		cmocka_unit_test(a_limit_is_one_value_or_two),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(limits_are_read_from_proc),
	};

	return cmocka_run_group_tests(limits, NULL, NULL);
}
