/* world.c - an application with one feature and nothing around it. */
#include "t/fuzz/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "core/input/json_body.h"
#include "core/input/patterns.h"
#include "core/journey/journey.h"
#include "core/journey/quota.h"
#include "core/journey/whose.h"
#include "t/fuzz/things.h"

void world_broken(const char *condition, const char *where)
{
	fprintf(stderr, "%s: does not hold: %s\n", where, condition);
	abort();
}

/* --- what is around it: nothing --- */

static void look_at_log(const char *line, size_t length)
{
	json_t *read = json_loadb(line, length, 0, NULL);

	HOLDS(length > 0 && memchr(line, '\n', length) == line + length - 1);
	HOLDS(json_is_object(read));
	json_decref(read);
}

static const struct feature *const features[] = { &things_feature, NULL };

/* Made once: libFuzzer calls the target in one thread of one process. */
static struct world {
	struct arena *arena, *of_request;
	struct application app;
	struct scoreboard *board;
} world;

static const struct db_options no_database = {
	.conninfo = "", .application = "fuzz", .connections = 1, .timeout_ms = 10, .retry_ms = 60000
};
static const struct redis_options no_redis = { .address = "", .connections = 1 };

static const struct cache_options leases = { .wait_ms = 10, .lease_ms = 1000, .stale_ms = 1000 };

/* Few of what is dear, so that a 429 is among the answers. */
static const long long quota[QUOTAS] = { 0, 1000000, 1000000, 1, 1 };

static void make_world(void)
{
	log_setup(LOG_INFO, LOG_JSON);
	log_divert(look_at_log);
	json_body_init();
	world.arena = arena_new(4096);
	world.of_request = arena_new(64 << 10);
	world.board = scoreboard_attach(1);
	world.app.features = features;
	world.app.patterns = patterns_compile(shapes_gather(world.arena, features));
	world.app.router = router_build(world.arena, features);
	world.app.instance_id = world.app.instance_name = "fuzz";
	world.app.request_log = STDERR_FILENO;
	world.app.body_limit = 4096;
	world.app.uploads = "/dev/shm";
	world.app.db = db_open(&no_database);
	world.app.redis = redis_open(&no_redis);
	world.app.cache = cache_open(world.app.redis, &leases);
	world.app.quotas = quotas_new(world.arena, quota, 60000);
	world.app.whose.text = whose_script;
	world.app.limits = limits_open(world.app.redis, quotas_policies(world.app.quotas));
}

struct arena *world_arena(void)
{
	if (world.arena == NULL)
		make_world();
	arena_reset(world.of_request);
	return world.of_request;
}

char *world_text(struct arena *arena, const void *bytes, size_t length)
{
	return arena_copy(arena, bytes, strnlen(bytes, length));
}

/* --- what must hold of an answer --- */

/* Each line is "Name: value" of bytes that a head may have (RFC 9110, 5.5), the last one empty. */
static void look_at_head(const char *head, size_t length)
{
	const char *end = head + length;

	while (head < end) {
		const char *line_end = memchr(head, '\n', (size_t)(end - head));
		const char *colon;

		HOLDS(line_end != NULL && line_end > head && line_end[-1] == '\r');
		if (line_end - head == 1)
			break;
		colon = memchr(head, ':', (size_t)(line_end - head));
		HOLDS(colon != NULL && colon > head && colon[1] == ' ');
		for (const char *c = head; c < line_end - 1; c++)
			HOLDS((unsigned char)*c >= ' ' && *c != 127);
		head = line_end + 1;
	}
	HOLDS(end - head == 2);
}

static void look_at_body(const struct request *rq)
{
	const struct response *response = &rq->response;
	json_t *body;

	if (response->media == NULL || strstr(response->media, "json") == NULL)
		return;
	body = json_loadb(response->body.data, response->body.length, JSON_DECODE_ANY, NULL);
	HOLDS(body != NULL);
	if (strcmp(response->media, "application/problem+json") == 0)
		HOLDS(json_integer_value(json_object_get(body, "status")) == response->status);
	if (response->status == 422)
		HOLDS(json_array_size(json_object_get(body, "errors")) > 0);
	json_decref(body);
}

static void look_at_answer(const struct request *rq)
{
	int status = rq->response.status;

	HOLDS(status >= 200 && status < 600 && status != 500);
	look_at_head(rq->response.head.data, rq->response.head.length);
	look_at_body(rq);
}

/* --- a request --- */

struct source {
	const char *bytes;
	size_t left;
};

/* In pieces of odd sizes, as they may come from a socket. */
static size_t read_body(void *of, char *bytes, size_t room)
{
	struct source *source = of;
	size_t piece = source->left % 7 + 1;

	piece = piece < room ? piece : room;
	piece = piece < source->left ? piece : source->left;
	if (piece == 0)
		return 0;
	memcpy(bytes, source->bytes, piece);
	source->bytes += piece;
	source->left -= piece;
	return piece;
}

void world_ask(struct arena *arena, struct head head, const void *body, size_t length)
{
	struct source source = { body, length };
	struct request *rq = request_new(&world.app, arena);

	rq->head = head;
	rq->read_body = read_body;
	rq->connection = &source;
	rq->score = &world.board->slot[0];
	journey_run(rq);
	look_at_answer(rq);
	journey_end(rq);
}
