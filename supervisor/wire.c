/* wire.c - what goes over the control socket: a line of JSON each way. */
#include "supervisor/wire.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/pool.h"

bool wire_read_request(const char *text, size_t length, char verb[static WIRE_VERB_ROOM])
{
	json_t *request = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *word = json_string_value(json_object_get(request, "verb"));
	bool good = word != NULL && strlen(word) < WIRE_VERB_ROOM;

	if (good)
		strcpy(verb, word);
	json_decref(request);
	return good;
}

/* The object as a line, which is consumed. */
static char *line_of(json_t *object)
{
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9))
				    : NULL;
	char *line;
	size_t length;

	json_decref(object);
	if (text == NULL)
		die("out of memory for an answer");
	length = strlen(text);
	line = realloc(text, length + 2);
	if (line == NULL)
		die("out of memory for an answer");
	memcpy(line + length, "\n", 2);
	return line;
}

char *wire_request(const char *verb)
{
	return line_of(json_pack("{s:s}", "verb", verb));
}

char *wire_error(const char *message)
{
	return line_of(json_pack("{s:s}", "error", message));
}

char *wire_pid(pid_t pid)
{
	return line_of(json_pack("{s:i}", "pid", (int)pid));
}

/* What a worker says of itself may be no UTF-8, which JSON could not carry. */
static json_t *text_or_null(const char *text)
{
	json_t *value = text[0] != '\0' ? json_string(text) : NULL;

	return value != NULL ? value : json_null();
}

static json_t *describe_worker(const struct worker *worker, int64_t now)
{
	char since[CLOCK_TEXT] = "";
	int64_t age = worker->since != 0 ? now - worker->since : 0;

	if (worker->since != 0)
		clock_rfc3339(since, clock_wall() - age);
	return json_pack("{s:I, s:o, s:s, s:o, s:f, s:I, s:I, s:I, s:o}", "slot",
	    (json_int_t)worker->slot, "pid",
	    worker->pid != 0 ? json_integer(worker->pid) : json_null(), "state",
	    worker_state_names[worker->state], "since", text_or_null(since), "seconds",
	    (double)age / 1e6, "restarts", (json_int_t)worker->restarts, "failures",
	    (json_int_t)worker->failures, "generation", (json_int_t)worker->generation->number,
	    "status", text_or_null(worker->said));
}

static json_t *describe_pool(const struct pools *pools, const struct pool *pool, int64_t now)
{
	const struct generation *generation = pool->generation;
	json_t *workers = json_array();

	for (size_t i = 0; i < generation->count; i++)
		json_array_append_new(workers, describe_worker(&generation->worker[i], now));
	return json_pack("{s:s, s:s, s:s, s:o}", "name", pool->name, "kind",
	    pool_kind_names[generation->plan.conf->kind], "state",
	    pool_state_names[pool_state(pools, pool)], "workers", workers);
}

static const char *state_of(const struct pools *pools)
{
	if (pools->stopping != STOP_NOT)
		return "stopping";
	if (pools_are_ready(pools))
		return "running";
	for (size_t i = 0; i < pools->count; i++)
		if (!pool_has_begun(&pools->pool[i]))
			return "starting";
	return "degraded";
}

char *wire_status(const struct pools *pools, pid_t pid, int64_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pools->count; i++)
		json_array_append_new(list, describe_pool(pools, &pools->pool[i], now));
	return line_of(
	    json_pack("{s:i, s:s, s:o}", "pid", (int)pid, "state", state_of(pools), "pools", list));
}

/*
 * An ostlerctl may be older or newer than the ostlerd that it asks: what it does
 * not know it ignores, and what is missing is empty.
 */
static const char *copy_text(struct arena *arena, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? arena_copy(arena, text, strlen(text)) : "";
}

static long long number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void read_worker(struct arena *arena, const json_t *object, struct wire_worker *worker)
{
	*worker = (struct wire_worker){
		.slot = number(object, "slot"),
		.pid = number(object, "pid"),
		.restarts = number(object, "restarts"),
		.seconds = json_number_value(json_object_get(object, "seconds")),
		.state = copy_text(arena, object, "state"),
		.said = copy_text(arena, object, "status"),
	};
}

static void read_pool(struct arena *arena, const json_t *object, struct wire_pool *pool)
{
	const json_t *workers = json_object_get(object, "workers");

	*pool = (struct wire_pool){
		.name = copy_text(arena, object, "name"),
		.kind = copy_text(arena, object, "kind"),
		.state = copy_text(arena, object, "state"),
		.count = json_array_size(workers),
	};
	pool->worker = arena_alloc(arena, (pool->count + 1) * sizeof(*pool->worker));
	for (size_t i = 0; i < pool->count; i++)
		read_worker(arena, json_array_get(workers, i), &pool->worker[i]);
}

bool wire_read_answer(
    struct arena *arena, const char *text, size_t length, struct wire_answer *answer)
{
	json_t *root = json_loadb(text, length, 0, NULL);
	const json_t *pools = json_object_get(root, "pools");
	bool good = json_is_object(root);

	*answer = (struct wire_answer){ .pid = number(root, "pid"),
		.state = copy_text(arena, root, "state"),
		.count = json_array_size(pools) };
	if (json_is_string(json_object_get(root, "error")))
		answer->error = copy_text(arena, root, "error");
	answer->pool = arena_alloc(arena, (answer->count + 1) * sizeof(*answer->pool));
	for (size_t i = 0; i < answer->count; i++)
		read_pool(arena, json_array_get(pools, i), &answer->pool[i]);
	json_decref(root);
	return good;
}
