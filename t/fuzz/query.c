/* query.c - fuzzes what stands behind the question mark of a URI, and the URI before it. */
#include "t/fuzz/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	const char *query = world_text(arena, bytes, size);

	world_ask(arena,
	    (struct head){ .method = "GET", .uri = arena_print(arena, "/things?%s", query) }, "",
	    0);
	world_ask(arena,
	    (struct head){ .method = "GET", .uri = arena_print(arena, "/pages?%s", query) }, "", 0);
	world_ask(arena,
	    (struct head){ .method = "GET", .uri = arena_print(arena, "/kept/%s", query) }, "", 0);
	return 0;
}
