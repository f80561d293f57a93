/* health.c - whether what a process stands on answers. */
#include "core/serve/health.h"

#include "base/clock.h"
#include "core/events/publish.h"
#include "core/journey/request.h"

/* Not by query(): a database that is down is an answer here, not a failed request. */
bool health_database(struct request *rq)
{
	int64_t asked = clock_now();
	struct rows *rows = db_run(
	    rq->app->db, rq->arena, &(struct statement){ .sql = "SELECT 1" });
	bool well = rows->fate == DONE;

	rows_free(rows);
	rq->db_us += clock_now() - asked;
	return well;
}

bool health_redis(struct request *rq)
{
	int64_t asked = clock_now();
	struct redis_command ping = { .words = { "PING" } };
	struct redis_reply reply;
	bool well = redis_run(rq->app->redis, rq->arena, 1, &ping, &reply) &&
		    reply.kind == REDIS_TEXT;

	rq->redis_us += clock_now() - asked;
	return well;
}

long long health_events_waiting(struct request *rq)
{
	return outlets_waiting(rq->app->outlets);
}

bool health_is_for_insiders(const struct request *rq)
{
	return rq->head.internal != NULL;
}

struct instance health_instance(struct request *rq)
{
	return (struct instance){ rq->app->instance_id, rq->app->instance_name };
}
