/* traceparent.c - fuzzes traceparent and X-Request-Id: a line each. */
#include <string.h>

#include "t/fuzz/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char harmless[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
	struct arena *arena = world_arena();
	char *traceparent = world_text(arena, bytes, size);
	char *request_id = strchr(traceparent, '\n');
	struct trace trace;

	if (request_id != NULL)
		*request_id++ = '\0';
	trace_start(&trace, traceparent, request_id);
	HOLDS(trace_parent_is_valid(trace.parent));
	HOLDS(strspn(trace.request_id, harmless) == strlen(trace.request_id));
	HOLDS(trace.request_id[0] != '\0');
	/* What is valid is kept as it is. */
	HOLDS(!trace_parent_is_valid(traceparent) || strcmp(trace.parent, traceparent) == 0);
	return 0;
}
