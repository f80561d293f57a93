/* wire.c - what goes over the control socket: a line of JSON each way. */
#include "supervisor/control/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control/wire_json.h"
#include "supervisor/control/wire_work.h"
#include "supervisor/pool/pool.h"

/* A word that is not there stays empty; one that is no text, or too long, is an error. */
static bool take_word(const json_t *object, const char *name, char word[static WIRE_WORD_ROOM])
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	if (value == NULL)
		return true;
	if (text == NULL || strlen(text) >= WIRE_WORD_ROOM)
		return false;
	strcpy(word, text);
	return true;
}

bool wire_read_request(const char *text, size_t length, struct wire_request *request)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	bool good;

	*request = (struct wire_request){
		.number = json_integer_value(json_object_get(object, "number")),
		.follow = json_is_true(json_object_get(object, "follow")),
	};
	good = take_word(object, "verb", request->verb) &&
	       take_word(object, "pool", request->pool) &&
	       take_word(object, "until", request->until) && request->verb[0] != '\0';
	json_decref(object);
	return good;
}

char *wire_request(const struct wire_request *request)
{
	json_t *object = json_pack("{s:s}", "verb", request->verb);

	if (request->pool[0] != '\0')
		json_object_set_new(object, "pool", json_string(request->pool));
	if (request->until[0] != '\0')
		json_object_set_new(object, "until", json_string(request->until));
	if (request->number != 0)
		json_object_set_new(object, "number", json_integer(request->number));
	if (request->follow)
		json_object_set_new(object, "follow", json_true());
	return wire_line(object);
}

char *wire_copy(const char *text, size_t length)
{
	char *copy = calloc(1, length + 1);

	if (copy == NULL)
		die("out of memory for an answer");
	memcpy(copy, text, length);
	return copy;
}

char *wire_nothing(void)
{
	return wire_copy("", 0);
}

char *wire_append(char *text, size_t *length, char *line)
{
	size_t more = strlen(line);
	char *grown = realloc(text, *length + more + 1);

	if (grown == NULL)
		die("out of memory for an answer");
	memcpy(grown + *length, line, more + 1);
	*length += more;
	free(line);
	return grown;
}

char *wire_error(const char *message)
{
	return wire_line(json_pack("{s:o}", "error", wire_text(message, strlen(message))));
}

char *wire_say(const char *text)
{
	return wire_line(json_pack("{s:o}", "text", wire_text(text, strlen(text))));
}

char *wire_pid(pid_t pid)
{
	return wire_line(json_pack("{s:i}", "pid", (int)pid));
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
	json_t *object;

	if (worker->since != 0)
		clock_rfc3339(since, clock_wall() - age);
	object = json_pack("{s:I, s:o, s:s, s:o, s:f, s:I, s:I, s:I, s:o}", "slot",
	    (json_int_t)worker->slot, "pid",
	    worker->pid != 0 ? json_integer(worker->pid) : json_null(), "state",
	    worker_state_names[worker->state], "since", text_or_null(since), "seconds",
	    (double)age / 1e6, "restarts", (json_int_t)worker->restarts, "failures",
	    (json_int_t)worker->failures, "generation", (json_int_t)worker->generation->number,
	    "status", text_or_null(worker->said));
	wire_add_work(object, worker, now);
	return object;
}

/* Seats that were given up, and what a generation that leaves has behind it, are of no interest. */
static void add_workers(
    json_t *list, const struct pools *pools, const struct generation *generation, int64_t now)
{
	bool serves = generation == generation->pool->generation;

	for (size_t i = 0; i < generation->count; i++) {
		const struct worker *worker = generation->worker[i];
		bool given_up = worker->state == WORKER_STOPPED && pools->stopping == STOP_NOT;

		if (worker_is_alive(worker) || (serves && !given_up))
			json_array_append_new(list, describe_worker(worker, now));
	}
}

static json_t *describe_pool(const struct pools *pools, const struct pool *pool, int64_t now)
{
	const struct generation *generation = pool->generation;
	json_t *workers = json_array();
	json_t *object;

	add_workers(workers, pools, generation, now);
	for (const struct generation *g = pool->newest; g != NULL; g = g->older)
		if (g != generation)
			add_workers(workers, pools, g, now);
	object = json_pack("{s:s, s:s, s:s, s:I, s:b, s:o}", "name", pool->name, "kind",
	    pool_kind_names[generation->plan.conf->kind], "state",
	    pool_state_names[pool_state(pools, pool)], "generation", (json_int_t)generation->number,
	    "outdated", pool->outdated, "workers", workers);
	wire_add_figures(object, pool, now);
	return object;
}

static const char *state_of(const struct pools *pools)
{
	if (pools->stopping != STOP_NOT)
		return "stopping";
	if (pools_are_ready(pools))
		return "running";
	for (size_t i = 0; i < pools->count; i++)
		if (!pool_has_begun(pools->pool[i]))
			return "starting";
	return "degraded";
}

char *wire_status(const struct pools *pools, pid_t pid, int64_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pools->count; i++)
		json_array_append_new(list, describe_pool(pools, pools->pool[i], now));
	return wire_line(
	    json_pack("{s:i, s:s, s:o}", "pid", (int)pid, "state", state_of(pools), "pools", list));
}
