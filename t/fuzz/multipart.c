/*
 * multipart.c - fuzzes a form with files (multipart/form-data).
 *
 * The first line of the input is the boundary, as Content-Type has it; the body follows.
 */
#include <string.h>

#include "t/fuzz/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	const uint8_t *newline = memchr(bytes, '\n', size);
	const uint8_t *body = newline != NULL ? newline + 1 : bytes + size;
	size_t length = size - (size_t)(body - bytes);
	const char *boundary = world_text(
	    arena, bytes, newline != NULL ? (size_t)(newline - bytes) : size);

	world_ask(arena,
	    (struct head){ .method = "POST",
		.uri = "/files",
		.content_type = arena_print(arena, "multipart/form-data; boundary=%s", boundary),
		.content_length = arena_print(arena, "%zu", length) },
	    body, length);
	return 0;
}
