/*
 * request.c - fuzzes a whole request as a FastCGI web server hands it over.
 *
 * The input is the array of parameters, "NAME=value" each and ended by a NUL; an
 * empty one ends them, and the body follows.  Neither nginx nor libfcgi has
 * looked at it: whoever can reach the socket could send it.
 */
#include <string.h>

#include "t/fuzz/world.h"

#define PARAMETERS_MOST 100

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	char *rest = arena_copy(arena, (const char *)bytes, size);
	const char *end = rest + size;
	char *parameters[PARAMETERS_MOST + 1];
	size_t count = 0;
	struct head head;

	/* arena_copy ends what it copies with a NUL, so that the last one may lack its own. */
	while (rest < end && *rest != '\0' && count < PARAMETERS_MOST) {
		parameters[count++] = rest;
		rest += strlen(rest) + 1;
	}
	parameters[count] = NULL;
	if (rest < end && *rest == '\0')
		rest++;
	head_fill(&head, parameters);
	world_ask(arena, head, rest, rest < end ? (size_t)(end - rest) : 0);
	return 0;
}
