/*
 * span.c - the windows of time that one can ask for.
 *
 * A window is either the last so many minutes, or whole days in UTC: people are
 * counted by the day, because distinct ones do not add up, and what is set beside
 * them has to be of the same time.
 */
#include <string.h>

#include "features/metrics/metrics.h"

static const struct span spans[] = {
	{ "1h", 60, 0, "1m" },
	{ "6h", 360, 0, "5m" },
	{ "24h", 1440, 0, "15m" },
	{ "today", 0, 1, NULL },
	{ "7d", 0, 7, "1h" },
};

const char *const span_words[] = { "1h", "6h", "24h", "today", "7d", NULL };
const char *const span_words_of_days[] = { "today", "7d", NULL };
const char *const span_words_of_lines[] = { "1h", "6h", "24h", "7d", NULL };

const struct span *span_called(const char *name)
{
	const struct span *span = spans;

	while (strcmp(span->name, name) != 0)
		span++;
	return span;
}
