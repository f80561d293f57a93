/* waiting.c - events that were taken and are not applied yet, for who looks on. */
#include "core/events/publish.h"
#include "core/journey/request.h"

/* How far the consumers have come, as their last transactions say. */
static bool find_positions(
    struct request *rq, const char *kind, const char *position[static BROKER_PARTITIONS_MOST])
{
	const struct rows *rows = query(rq,
	    "SELECT partition, position FROM event_offset WHERE stream = $1"
	    " AND partition BETWEEN 0 AND $2",
	    kind, BROKER_PARTITIONS_MOST - 1);

	for (int row = 0; rows->fate == DONE && row < rows->count; row++)
		position[rows_integer(rows, row, 0)] = rows_text(rows, row, 1);
	return rows->fate == DONE;
}

long long events_waiting(struct request *rq, const char *kind)
{
	const char *position[BROKER_PARTITIONS_MOST] = { NULL };
	struct broker *broker = outlets_called(rq->app->outlets, kind);

	if (broker == NULL || !find_positions(rq, kind, position))
		return -1;
	return broker_behind(broker, rq->arena, position);
}
