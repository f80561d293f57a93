/* json.c - fuzzes the binding of a JSON body. */
#include "t/fuzz/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const paths[] = { "/things", "/nested", "/bulk" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct arena *arena = world_arena();

		world_ask(arena,
		    (struct head){ .method = "POST",
			.uri = paths[i],
			.content_type = "application/json",
			.content_length = arena_print(arena, "%zu", size) },
		    bytes, size);
	}
	return 0;
}
