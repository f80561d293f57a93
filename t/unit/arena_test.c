/* arena_test.c - pieces of an arena, and the buffers that grow in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new(256);
	char *piece[64];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		piece[i] = arena_alloc(arena, i + 1);
		assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j <= i; j++)
			assert_int_equal(piece[i][j], 0);
		memset(piece[i], (int)i + 1, i + 1);
	}
	for (size_t i = 0; i < 64; i++)
		for (size_t j = 0; j <= i; j++)
			assert_int_equal(piece[i][j], i + 1);
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

static void a_piece_larger_than_the_arena_is_had(void **state)
{
	struct arena *arena = arena_new(64);
	char *large = arena_alloc(arena, 1 << 20);
	char *small = arena_alloc(arena, 8);

	(void)state;
	memset(large, 'x', 1 << 20);
	assert_int_equal(small[0], 0);
	assert_int_equal(large[(1 << 20) - 1], 'x');
	arena_free(&arena);
}

static void a_reset_gives_the_first_room_again_and_zeroed(void **state)
{
	struct arena *arena = arena_new(1024);
	char *first = arena_alloc(arena, 100), *again;

	(void)state;
	memset(first, 'x', 100);
	for (int i = 0; i < 100; i++)
		(void)arena_alloc(arena, 1000);
	arena_reset(arena);
	again = arena_alloc(arena, 100);
	assert_ptr_equal(again, first);
	for (int i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
	arena_free(&arena);
}

static void the_last_piece_grows_in_place(void **state)
{
	struct arena *arena = arena_new(4096);
	char *piece = arena_alloc(arena, 10);
	char *grown;

	(void)state;
	memcpy(piece, "012345678", 10);
	grown = arena_grow(arena, piece, 10, 2000);
	assert_ptr_equal(grown, piece);
	assert_string_equal(grown, "012345678");
	/* What comes next must not lie inside the grown piece. */
	assert_true((char *)arena_alloc(arena, 1) >= grown + 2000);
	arena_free(&arena);
}

static void a_piece_behind_which_another_stands_is_copied(void **state)
{
	struct arena *arena = arena_new(4096);
	char *piece = arena_copy(arena, "horse", 5);
	char *other = arena_copy(arena, "stable", 6);
	char *grown = arena_grow(arena, piece, 6, 64);

	(void)state;
	assert_ptr_not_equal(grown, piece);
	assert_string_equal(grown, "horse");
	memset(grown, 'x', 64);
	assert_string_equal(piece, "horse");
	assert_string_equal(other, "stable");
	arena_free(&arena);
}

static void a_piece_grows_over_the_end_of_its_block(void **state)
{
	struct arena *arena = arena_new(64);
	char *piece = arena_copy(arena, "horse", 5);
	char *grown = arena_grow(arena, piece, 6, 100000);

	(void)state;
	assert_string_equal(grown, "horse");
	memset(grown, 'x', 100000);
	arena_free(&arena);
}

static void text_is_printed_whatever_its_length(void **state)
{
	struct arena *arena = arena_new(64);
	char *text = arena_print(arena, "%0300d", 7);

	(void)state;
	assert_int_equal(strlen(text), 300);
	assert_int_equal(text[299], '7');
	assert_string_equal(arena_print(arena, "%s", ""), "");
	arena_free(&arena);
}

static void a_copy_ends_with_a_nul_of_its_own(void **state)
{
	struct arena *arena = arena_new(64);
	char *copy = arena_copy(arena, "a\0bc", 3);

	(void)state;
	assert_memory_equal(copy, "a\0b", 4);
	arena_free(&arena);
}

static void what_a_child_writes_into_a_shared_arena_its_parent_reads(void **state)
{
	struct arena *arena = arena_new_shared(1 << 16);
	const char **told = arena_alloc(arena, sizeof(*told));
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		*told = arena_print(arena, "from %s", "a child");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_string_equal(*told, "from a child");
	/* The child's own end of the arena is shared too: nothing is written over. */
	assert_ptr_not_equal(arena_alloc(arena, 1), *told);
	assert_string_equal(*told, "from a child");
	arena_free(&arena);
}

static void a_shared_arena_that_is_full_ends_the_process(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct arena *arena = arena_new_shared(4096);

		close(STDERR_FILENO);
		(void)arena_alloc(arena, 8192);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

static void buffers_take_bytes_text_and_numbers(void **state)
{
	struct arena *arena = arena_new(256);
	struct buffer buffer;

	(void)state;
	buffer_start(&buffer, arena, 1);
	buffer_add(&buffer, "a\0", 2);
	buffer_add_text(&buffer, "bc");
	buffer_add_char(&buffer, 'd');
	buffer_print(&buffer, "<%05d>", 42);
	buffer_add_integer(&buffer, LLONG_MIN);
	buffer_add_integer(&buffer, 0);
	buffer_add_integer(&buffer, LLONG_MAX);
	assert_int_equal(buffer.length, 52);
	assert_memory_equal(
	    buffer.data, "a\0bcd<00042>-922337203685477580809223372036854775807", 52);
	arena_free(&arena);
}

static void two_buffers_grow_beside_each_other(void **state)
{
	struct arena *arena = arena_new(64);
	struct buffer a, b;

	(void)state;
	buffer_start(&a, arena, 8);
	buffer_start(&b, arena, 8);
	for (int i = 0; i < 20000; i++) {
		buffer_add_char(&a, (char)('a' + i % 26));
		buffer_print(&b, "%d,", i % 10);
	}
	assert_int_equal(a.length, 20000);
	assert_int_equal(b.length, 40000);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(a.data[i], 'a' + i % 26);
		assert_int_equal(b.data[2 * i], '0' + i % 10);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest arena[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_piece_larger_than_the_arena_is_had),
		cmocka_unit_test(a_reset_gives_the_first_room_again_and_zeroed),
		cmocka_unit_test(the_last_piece_grows_in_place),
		cmocka_unit_test(a_piece_behind_which_another_stands_is_copied),
		cmocka_unit_test(a_piece_grows_over_the_end_of_its_block),
		cmocka_unit_test(text_is_printed_whatever_its_length),
		cmocka_unit_test(a_copy_ends_with_a_nul_of_its_own),
		cmocka_unit_test(what_a_child_writes_into_a_shared_arena_its_parent_reads),
		cmocka_unit_test(a_shared_arena_that_is_full_ends_the_process),
		cmocka_unit_test(buffers_take_bytes_text_and_numbers),
		cmocka_unit_test(two_buffers_grow_beside_each_other),
	};

	return cmocka_run_group_tests(arena, NULL, NULL);
}
