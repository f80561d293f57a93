/* asking.h - one request at a time through the whole journey, for unit tests. */
#ifndef T_UNIT_ASKING_H
#define T_UNIT_ASKING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/attributes.h"
#include "base/log.h"
#include "core/answer/problem.h"
#include "core/input/json_body.h"
#include "core/input/patterns.h"
#include "core/journey/journey.h"
#include "core/journey/quota.h"
#include "core/journey/whose.h"

static struct {
	struct arena *arena, *of_request;
	struct patterns *patterns;
	struct application app;
	struct request *rq;
	struct scoreboard *board;
	const char *body;
	size_t left;
	char head[8192], answer[1 << 16];
} now;

/* No Redis: each quota is counted here, and holds for all that a test asks. */
static const struct redis_options nowhere = { .connections = 1 };
static const long long quota[QUOTAS] = { 0, 1000000, 1000000, 1, 1 };

/* For the group's setup: FEATURES are the whole program. */
static inline int begin_asking(const struct feature *const *features)
{
	log_setup(LOG_ERROR, LOG_TEXT);
	json_body_init();
	now.arena = arena_new(4096);
	now.of_request = arena_new(4096);
	now.app.features = features;
	now.app.request_log = 2;
	now.app.router = router_build(now.arena, features);
	now.app.patterns = now.patterns = patterns_compile(shapes_gather(now.arena, features));
	now.app.body_limit = 1000;
	now.app.redis = redis_open(&nowhere);
	now.app.quotas = quotas_new(now.arena, quota, 60000);
	now.app.whose.text = whose_script;
	now.app.limits = limits_open(now.app.redis, quotas_policies(now.app.quotas));
	return 0;
}

static inline int end_asking(void **state)
{
	(void)state;
	patterns_free(&now.patterns);
	limits_close(&now.app.limits);
	redis_close(&now.app.redis);
	scoreboard_detach(&now.board);
	arena_free(&now.of_request);
	arena_free(&now.arena);
	return 0;
}

/* The body comes in small pieces, as it may from a socket. */
static inline size_t read_body(void *unused, char *bytes, size_t room)
{
	size_t piece = room < 3 ? room : 3;

	(void)unused;
	piece = piece < now.left ? piece : now.left;
	memcpy(bytes, now.body, piece);
	now.body += piece;
	now.left -= piece;
	return piece;
}

static inline int ask(struct head head, const char *body, size_t length)
{
	char number[24];

	arena_reset(now.of_request);
	if (now.board == NULL)
		now.board = scoreboard_attach(1);
	now.rq = request_new(&now.app, now.of_request);
	now.body = body;
	now.left = length;
	snprintf(number, sizeof(number), "%zu", length);
	if (length > 0 && head.content_length == NULL)
		head.content_length = number;
	now.rq->head = head;
	now.rq->read_body = read_body;
	now.rq->score = &now.board->slot[0];
	journey_run(now.rq);
	snprintf(now.head, sizeof(now.head), "%.*s", (int)now.rq->response.head.length,
	    now.rq->response.head.data);
	snprintf(now.answer, sizeof(now.answer), "%.*s", (int)now.rq->response.body.length,
	    now.rq->response.body.data);
	journey_end(now.rq);
	return now.rq->response.status;
}

/* The faults of the last answer as "pointer in: detail" lines. */
static inline const char *faults(void)
{
	static char text[1 << 14];
	json_t *problem = json_loads(now.answer, 0, NULL), *fault;
	size_t i, length = 0;

	assert_non_null(problem);
	text[0] = '\0';
	json_array_foreach(json_object_get(problem, "errors"), i, fault)
	    length += (size_t)snprintf(text + length, sizeof(text) - length, "%s %s: %s\n",
		json_string_value(json_object_get(fault, "pointer")),
		json_string_value(json_object_get(fault, "in")),
		json_string_value(json_object_get(fault, "detail")));
	json_decref(problem);
	return text;
}

#endif
