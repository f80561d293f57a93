/* wire_answer.c - an answer of ostlerd as ostlerctl shows it. */

#include "supervisor/control/wire.h"
#include "supervisor/control/wire_json.h"

/* -1: it is null, or not there. */
static double known(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : -1;
}

static void read_worker(struct arena *arena, const json_t *object, struct wire_worker *worker)
{
	const json_t *request = json_object_get(object, "request");

	*worker = (struct wire_worker){
		.slot = wire_member_number(object, "slot"),
		.pid = wire_member_number(object, "pid"),
		.restarts = wire_member_number(object, "restarts"),
		.seconds = json_number_value(json_object_get(object, "seconds")),
		.state = wire_member_text(arena, object, "state"),
		.said = wire_member_text(arena, object, "status"),
		.busy = known(object, "busy"),
		.memory = known(object, "memory"),
		.requests = known(object, "requests"),
		.route = wire_member_text(arena, request, "route"),
		.method = wire_member_text(arena, request, "method"),
		.request_seconds = known(request, "seconds"),
	};
}

static void read_pool(struct arena *arena, const json_t *object, struct wire_pool *pool)
{
	const json_t *workers = json_object_get(object, "workers");
	const json_t *scale = json_object_get(object, "scale");

	*pool = (struct wire_pool){
		.name = wire_member_text(arena, object, "name"),
		.kind = wire_member_text(arena, object, "kind"),
		.state = wire_member_text(arena, object, "state"),
		.count = json_array_size(workers),
		.min = wire_member_number(scale, "min"),
		.max = wire_member_number(scale, "max"),
		.busy = known(object, "busy"),
		.idle = known(object, "idle"),
		.queue = known(object, "queue"),
		.memory = known(object, "memory"),
		.requests = known(object, "requests"),
		.rate = known(object, "rate"),
		.p50 = known(object, "p50_ms"),
		.p95 = known(object, "p95_ms"),
		.p99 = known(object, "p99_ms"),
	};
	pool->worker = arena_alloc(arena, (pool->count + 1) * sizeof(*pool->worker));
	for (size_t i = 0; i < pool->count; i++)
		read_worker(arena, json_array_get(workers, i), &pool->worker[i]);
}

static const char *read_one(struct arena *arena, const char *line, size_t length, const char *name)
{
	json_t *object = json_loadb(line, length, 0, NULL);
	const char *text = NULL;

	if (json_is_string(json_object_get(object, name)))
		text = wire_member_text(arena, object, name);
	json_decref(object);
	return text;
}

const char *wire_read_error(struct arena *arena, const char *line, size_t length)
{
	return read_one(arena, line, length, "error");
}

const char *wire_read_text(struct arena *arena, const char *line, size_t length)
{
	return read_one(arena, line, length, "text");
}

bool wire_read_answer(
    struct arena *arena, const char *text, size_t length, struct wire_answer *answer)
{
	json_t *root = json_loadb(text, length, 0, NULL);
	const json_t *pools = json_object_get(root, "pools");
	bool good = json_is_object(root);

	*answer = (struct wire_answer){ .pid = wire_member_number(root, "pid"),
		.state = wire_member_text(arena, root, "state"),
		.count = json_array_size(pools) };
	if (json_is_string(json_object_get(root, "error")))
		answer->error = wire_member_text(arena, root, "error");
	answer->pool = arena_alloc(arena, (answer->count + 1) * sizeof(*answer->pool));
	for (size_t i = 0; i < answer->count; i++)
		read_pool(arena, json_array_get(pools, i), &answer->pool[i]);
	json_decref(root);
	return good;
}
