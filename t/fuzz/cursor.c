/* cursor.c - fuzzes the cursor of a list: whatever is taken for one stands for the same place
 * again. */
#include "core/input/cursor.h"

#include <string.h>

#include "t/fuzz/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	struct cursor cursor, again;

	if (!cursor_decode(arena, world_text(arena, bytes, size), &cursor))
		return 0;
	HOLDS(cursor_decode(arena, cursor_encode(arena, &cursor), &again));
	HOLDS(strcmp(cursor.time, again.time) == 0 && cursor.id == again.id);
	return 0;
}
