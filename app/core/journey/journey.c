/* journey.c - what happens to a request, stage by stage. */
#include "core/journey/journey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "core/answer/answer.h"
#include "core/answer/kept.h"
#include "core/answer/problem.h"
#include "core/audit/audit.h"
#include "core/audit/repeats.h"
#include "core/identity/bearer.h"
#include "core/input/percent.h"
#include "core/jobs/enqueue.h"
#include "core/journey/traced.h"

static int stage_whole(struct request *rq);
static int stage_route(struct request *rq);
static int stage_single(struct request *rq);
static int stage_length(struct request *rq);

/*
 * Each returns 0 to go on, or the status of the answer that it has made.
 *
 * The front asks Redis once for all that is needed there: the session, the quota of
 * its user, the kept answer.  It comes behind the binding of path and query, since the key
 * of a kept answer is made of them, and before anything is said of their errors or read of
 * the body: who may not is told nothing else, and nobody makes us work beyond their quota.
 */
static const struct stage {
	const char *name;
	int (*run)(struct request *);
} stages[] = {
	{ "whole", stage_whole },           /* is it one that the web server has read to its end */
	{ "route", stage_route },           /* which line of which table */
	{ "cross-site", stage_cross_site }, /* does another site's page want it */
	{ "bind", stage_bind },             /* path and query become its struct */
	{ "front", stage_front },           /* who is asking, may they, and so often; the cache */
	{ "single", stage_single },         /* is nothing there twice that must not be */
	{ "length", stage_length },         /* is the body of a size we take */
	{ "condition", stage_condition },   /* is a change asked for as it must be */
	{ "once", stage_once },             /* or was it, perhaps, before */
	{ "validate", stage_validate },     /* the body too; is all of it right */
	{ "find", stage_find },             /* was the answer in the cache */
	{ "handle", stage_handle },         /* the feature's own code */
};

static int run_stage(struct request *rq, const struct stage *stage)
{
	return rq->traced == NULL ? stage->run(rq) : traced_stage(rq, stage->name, stage->run);
}

void journey_run(struct request *rq)
{
	rq->started = clock_now();
	scoreboard_begin(rq->score, rq->started, rq->timeout);
	trace_start(&rq->trace, rq->head.traceparent, rq->head.request_id);
	traced_begin(rq);
	for (size_t i = 0; i < COUNT(stages); i++)
		if (run_stage(rq, &stages[i]) != 0)
			break;
	audit_settle(rq);
	kept_release(rq);
	answer_complete(rq);
	scoreboard_send(rq->score);
}

/* What the journey is called wherever it is counted: the template, never the raw path. */
static const char *name_of_method(const struct request *rq)
{
	if (rq->head_only)
		return "HEAD";
	return rq->method != 0 ? method_name(rq->method) : "other";
}

static const char *name_of_route(const struct request *rq)
{
	return rq->template != NULL ? rq->template : "none";
}

static size_t bytes_sent(const struct request *rq)
{
	return rq->head_only ? 0 : rq->response.body.length;
}

static void log_request(const struct request *rq, int64_t now)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "request");
	log_add_text(&line, "request_id", rq->trace.request_id);
	log_add_bytes(&line, "trace_id", rq->trace.parent + 3, 32);
	log_add_text(&line, "instance", rq->app->instance_id);
	log_add_text(&line, "method", name_of_method(rq));
	log_add_text(&line, "route", name_of_route(rq));
	log_add_integer(&line, "status", rq->response.status);
	log_add_ms(&line, "ms", now - rq->started);
	log_add_ms(&line, "db_ms", rq->db_us);
	log_add_ms(&line, "redis_ms", rq->redis_us);
	log_add_integer(&line, "user", rq->user_id);
	if (rq->client != NULL)
		log_add_text(&line, "client", rq->client);
	log_add_integer(&line, "bytes", (long long)bytes_sent(rq));
	log_end(&line, rq->app->request_log);
}

static void tell_trace(struct request *rq)
{
	const char *method = name_of_method(rq);

	traced_end(rq,
	    &(struct span_note){ .name = arena_print(rq->arena, "%s %s", method, name_of_route(rq)),
		.kind = SPAN_SERVER,
		.failed = rq->response.status >= 500,
		.attribute = { { "http.request.method", method, 0 },
		    { "http.route", name_of_route(rq), 0 },
		    { "http.response.status_code", NULL, rq->response.status },
		    { "http.response.body.size", NULL, (long long)bytes_sent(rq) },
		    { "ostler.request_id", rq->trace.request_id, 0 } } });
}

void journey_end(struct request *rq)
{
	int64_t now = clock_now();

	scoreboard_end(rq->score, rq->started, now, bytes_sent(rq), rq->response.status >= 500);
	if (log_wants(LOG_INFO))
		log_request(rq, now);
	if (rq->enqueued)
		jobs_wake(rq);
	if (rq->traced != NULL)
		tell_trace(rq);
	if (rq->app->repeats != NULL && repeats_are_due(rq->app->repeats, now))
		audit_write_counts(rq->app, rq->arena, false);
	request_end(rq);
}

/* --- the stages that need no file of their own --- */

/*
 * What the web server could not read it refuses by itself, but for requests that bring
 * credentials: nothing of those may be done, and of some there is more to say.  Others are
 * whole: the fastcgi_params that come with nginx say 200 of every request, for PHP.
 */
static int stage_whole(struct request *rq)
{
	if (rq->head.refused_as == NULL || strcmp(rq->head.refused_as, "400") != 0)
		return 0;
	if (head_is_twice(&rq->head, "HTTP_AUTHORIZATION"))
		return bearer_refuse_twice(rq);
	return reply_problem(rq, 400, "The request is not well-formed HTTP.");
}

/* Splits the URI, as the client wrote it, into path and query.  False: no path of ours. */
static bool split_uri(struct request *rq)
{
	const char *uri = rq->head.uri != NULL ? rq->head.uri : "";

	rq->path = arena_copy(rq->arena, uri, strlen(uri));
	rq->query = strchr(rq->path, '?');
	if (rq->query != NULL)
		*rq->query++ = '\0';
	return rq->path[0] == '/' && percent_decode(rq->path, false);
}

static int not_allowed(struct request *rq, const struct place *place)
{
	const char *method = rq->head.method != NULL ? rq->head.method : "";

	rq->allow = router_allow(rq->arena, place);
	reply_header(rq, "Allow", rq->allow);
	if (strcmp(method, "OPTIONS") == 0)
		return rq->response.status = 204;
	rq->allow = NULL;
	return reply_problem(
	    rq, 405, "This method is not for this path; Allow lists those that are.");
}

static int stage_route(struct request *rq)
{
	const char *method = rq->head.method != NULL ? rq->head.method : "";
	const struct place *place;

	rq->head_only = strcmp(method, "HEAD") == 0;
	rq->method = rq->head_only ? GET : method_from_name(method);
	if (!split_uri(rq))
		return reply_problem(
		    rq, 400, "The path has a broken escape, a NUL or bytes that are no UTF-8.");
	place = router_find(rq->app->router, rq->path, rq->path_value);
	if (place == NULL)
		return reply_missing(rq);
	rq->template = place->path;
	rq->route = place->routes[rq->method];
	scoreboard_name(rq->score, name_of_method(rq), rq->template);
	return rq->route != NULL ? 0 : not_allowed(rq, place);
}

static int stage_single(struct request *rq)
{
	if (rq->head.twice == NULL)
		return 0;
	return reply_problem(rq, 400, "%s is given twice.", head_name(rq->arena, rq->head.twice));
}

static int stage_length(struct request *rq)
{
	size_t most = rq->route->body_most > 0 ? (size_t)rq->route->body_most : rq->app->body_limit;
	long long length = 0;

	if (rq->head.content_length == NULL)
		return 0;
	if (!text_to_integer(rq->head.content_length, &length) || length < 0)
		return reply_problem(rq, 400, "Content-Length is no length.");
	if ((unsigned long long)length > most)
		return reply_problem(rq, 413, "The body is larger than %zu bytes.", most);
	return 0;
}
