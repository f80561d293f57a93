/* form.c - fuzzes the body of a form (application/x-www-form-urlencoded). */
#include "t/fuzz/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();

	world_ask(arena,
	    (struct head){ .method = "POST",
		.uri = "/form",
		.content_type = "application/x-www-form-urlencoded",
		.content_length = arena_print(arena, "%zu", size) },
	    bytes, size);
	return 0;
}
