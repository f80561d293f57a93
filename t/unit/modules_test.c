/* modules_test.c - which file an address is in and which build of it, and names that are not
 * guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/system/call.h"
#include "supervisor/system/modules.h"
#include "supervisor/system/program.h"

/* A note with NAME, which ends with a NUL, and a value of four bytes. */
static size_t add_note(unsigned char *at, unsigned type, const char *name, const char *value)
{
	Elf64_Nhdr note = { .n_namesz = (unsigned)strlen(name) + 1, .n_descsz = 4, .n_type = type };
	size_t padded = (note.n_namesz + 3) & ~3U;

	memset(at, 0, sizeof(note) + padded + 4);
	memcpy(at, &note, sizeof(note));
	memcpy(at + sizeof(note), name, note.n_namesz);
	memcpy(at + sizeof(note) + padded, value, 4);
	return sizeof(note) + padded + 4;
}

static void the_build_id_is_found_among_other_notes(void **state)
{
	unsigned char notes[128];
	char id[MODULE_BUILD_ID];
	size_t length = add_note(notes, NT_GNU_BUILD_ID, "stapsdt", "\1\2\3\4");

	(void)state;
	length += add_note(notes + length, NT_GNU_ABI_TAG, "GNU", "\5\6\7\x8");
	assert_false(modules_build_id(notes, length, id));
	length += add_note(notes + length, NT_GNU_BUILD_ID, "GNU", "\xde\xad\xbe\xef");
	assert_true(modules_build_id(notes, length, id));
	assert_string_equal(id, "deadbeef");
}

static void notes_that_are_none_do_no_harm(void **state)
{
	unsigned char notes[64];
	char id[MODULE_BUILD_ID];
	size_t length = add_note(notes, NT_GNU_BUILD_ID, "GNU", "\xde\xad\xbe\xef");
	Elf64_Nhdr wrong = { .n_namesz = 4, .n_descsz = 0xfffffffd, .n_type = NT_GNU_BUILD_ID };

	(void)state;
	for (size_t cut = 0; cut < length; cut++)
		assert_false(modules_build_id(notes, cut, id));
	memcpy(notes, &wrong, sizeof(wrong));
	assert_false(modules_build_id(notes, sizeof(notes), id));
	wrong.n_descsz = 21; /* one byte more than there is room for */
	memcpy(notes, &wrong, sizeof(wrong));
	assert_false(modules_build_id(notes, sizeof(notes), id));
	memset(notes, 0xff, sizeof(notes));
	assert_false(modules_build_id(notes, sizeof(notes), id));
}

static void an_address_is_in_its_file(void **state)
{
	struct arena *arena = arena_new(65536);
	struct modules *modules = modules_read(arena, getpid());
	struct module module;

	(void)state;
	assert_non_null(modules);
	assert_true(modules_find(modules, (uint64_t)(uintptr_t)add_note, &module));
	assert_non_null(strstr(module.path, "modules_test"));
	assert_true(module.offset > 0);
	assert_true(modules_find(modules, (uint64_t)(uintptr_t)&module, &module));
	assert_null(strchr(module.path, '/')); /* [stack], or what a sanitizer has made of it */
	assert_false(modules_find(modules, 1, &module));
	assert_null(modules_read(arena, 999999999));
	arena_free(&arena);
}

static void a_call_has_its_name(void **state)
{
	char name[CALL_NAME];

	(void)state;
	assert_string_equal(call_name(0, name), "read");
	assert_string_equal(call_name(987654, name), "call 987654");
}

static void a_command_is_told_which_process(void **state)
{
	static const char *const words[] = { "/bin/look", "--pid=%p", "100%%", "%", "%d", NULL };
	struct arena *arena = arena_new(4096);
	const char *const *filled = program_arguments(arena, words, 42);

	(void)state;
	assert_string_equal(filled[0], "/bin/look");
	assert_string_equal(filled[1], "--pid=42");
	assert_string_equal(filled[2], "100%");
	assert_string_equal(filled[3], "%");
	assert_string_equal(filled[4], "%d");
	assert_null(filled[5]);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest modules[] = {
		cmocka_unit_test(the_build_id_is_found_among_other_notes),
		cmocka_unit_test(notes_that_are_none_do_no_harm),
		cmocka_unit_test(an_address_is_in_its_file),
		cmocka_unit_test(a_call_has_its_name),
		cmocka_unit_test(a_command_is_told_which_process),
	};

	return cmocka_run_group_tests(modules, NULL, NULL);
}
