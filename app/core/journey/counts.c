/* counts.c - what a web worker counts beside its requests. */
#include "core/journey/counts.h"

#include "base/log.h"

static const char *const names[] = {
	[COUNT_CACHE_HITS] = "cache_hits",
	[COUNT_CACHE_MISSES] = "cache_misses",
	[COUNT_LIMITED] = "limited",
};

_Static_assert(COUNT(names) == COUNTS, "each has its name");

void counts_name(struct scoreboard *board)
{
	for (int i = 0; i < COUNTS; i++)
		if (scoreboard_counter(board, names[i]) != i)
			bug("no room for the counter %s", names[i]);
}
