/*
 * openapi_responses.c - what an operation may answer, status by status.
 *
 * Which errors are possible follows from the route's own columns, so that none
 * is promised or kept quiet by hand: what has no body can get none too large.
 */
#include "core/openapi/openapi_responses.h"

#include "base/attributes.h"
#include "core/answer/json.h"
#include "core/answer/status.h"
#include "core/openapi/openapi_headers.h"

/* --- errors --- */

static bool always(const struct route *route)
{
	(void)route;
	return true;
}

static bool asks_who(const struct route *route)
{
	return route->access != ANYONE;
}

static bool names_something(const struct route *route)
{
	return strchr(route->path, '{') != NULL;
}

static bool has_body(const struct route *route)
{
	return route_takes_body(route);
}

static bool takes_something(const struct route *route)
{
	/* DELETE and GET refuse a query that they do not know. */
	return route->takes != NULL || route->method == GET || route->method == DELETE;
}

static bool has_version(const struct route *route)
{
	return route->versioned != NULL;
}

static bool needs_match(const struct route *route)
{
	return route->needs_match;
}

static bool can_be_taken(const struct route *route)
{
	if (has_body(route))
		EACH_FIELD (field, route->takes)
			if (field->unique != NULL)
				return true;
	return false;
}

static bool can_conflict(const struct route *route)
{
	return route_creates(route) || can_be_taken(route);
}

static const struct failure {
	int status;
	bool (*possible)(const struct route *);
	const char *when;
} failures[] = {
	{ 400, always, "The request is not well-formed." },
	{ 401, asks_who, "Nobody is signed in." },
	{ 403, asks_who, "The role is too low, or the token's scope too narrow." },
	{ 404, names_something, "There is nothing at this path." },
	{ 409, can_conflict,
	    "It contradicts what is there, or its first try is not answered yet." },
	{ 412, has_version, "It has another ETag than If-Match says." },
	{ 413, has_body, "The body is larger than is taken here." },
	{ 415, has_body, "The body has another media type." },
	{ 422, takes_something, "What was sent has errors: all of them are listed." },
	{ 428, needs_match, "If-Match is missing." },
	{ 429, always, "Too many requests of this kind: Retry-After says when to come again." },
	{ 503, always, "The service is away for a moment: Retry-After says how long." },
};

/* 415 and 422 are a 400 there, and all have a media type of their own (core/answer/problem.c). */
static bool is_possible(const struct failure *failure, const struct route *route)
{
	return failure->possible(route) && failure->status != route->also && !route->oauth;
}

static const char *name_of(struct arena *arena, const struct failure *failure)
{
	return arena_print(arena, "problem_%d", failure->status);
}

static void refer_to_response(struct buffer *out, const char *name)
{
	json_open(out, '{');
	json_key_text(out, "$ref", arena_print(out->arena, "#/components/responses/%s", name));
	json_close(out, '}');
}

/* RFC 6749, 5.2: one schema for all of them, and the two statuses that it names. */
static void write_oauth_failures(struct buffer *out)
{
	static const char *const names[] = { "400", "401", "default" };

	for (size_t i = 0; i < COUNT(names); i++) {
		json_key(out, names[i]);
		refer_to_response(out, "oauth_error");
	}
}

static void write_failures(struct buffer *out, const struct route *route)
{
	if (route->oauth) {
		write_oauth_failures(out);
		return;
	}
	for (size_t i = 0; i < COUNT(failures); i++) {
		if (!is_possible(&failures[i], route))
			continue;
		json_key(out, arena_print(out->arena, "%d", failures[i].status));
		refer_to_response(out, name_of(out->arena, &failures[i]));
	}
	json_key(out, "default");
	refer_to_response(out, "problem");
}

/* --- success --- */

static void write_either(const struct schemas *schemas, const struct route *route)
{
	struct buffer *out = schemas->out;

	json_open(out, '{');
	json_key_open(out, "oneOf", '[');
	schema_reference(schemas, route->gives, GIVEN);
	schema_reference(schemas, route->or_gives, GIVEN);
	json_close(out, ']');
	json_close(out, '}');
}

static void write_content(const struct schemas *schemas, const struct route *route)
{
	static const char text[] = "{\"schema\":{\"type\":\"string\"}}";
	struct buffer *out = schemas->out;

	json_key_open(out, "content", '{');
	if (route->csv) {
		json_key(out, "text/csv");
		json_raw(out, text, sizeof(text) - 1);
	}
	json_key_open(out, route->media != NULL ? route->media : "application/json", '{');
	json_key(out, "schema");
	if (route->gives == NULL)
		json_raw(out, "{}", 2);
	else if (route->list)
		schema_page(schemas, route->gives);
	else if (route->or_gives != NULL)
		write_either(schemas, route);
	else
		schema_reference(schemas, route->gives, GIVEN);
	json_close(out, '}');
	json_close(out, '}');
}

static void write_success(const struct schemas *schemas, const struct route *route, int status)
{
	struct buffer *out = schemas->out;

	json_key(out, arena_print(out->arena, "%d", status));
	json_open(out, '{');
	json_key_text(out, "description", status_reason(status));
	openapi_given_headers(out, route);
	if (route->gives != NULL || route->media != NULL)
		write_content(schemas, route);
	json_close(out, '}');
}

void openapi_responses(const struct schemas *schemas, const struct route *route)
{
	struct buffer *out = schemas->out;

	json_key_open(out, "responses", '{');
	write_success(schemas, route, route_success(route));
	if (route->also != 0)
		write_success(schemas, route, route->also);
	write_failures(out, route);
	json_close(out, '}');
}

/* --- the responses that operations refer to --- */

#define PROBLEM_MEDIA "application/problem+json"

static bool any_possible(const struct failure *failure, const struct feature *const *features)
{
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features)
			if (is_possible(failure, route))
				return true;
	return false;
}

static void write_problem(struct buffer *out, const char *name, const char *media, const char *when)
{
	static const char schema[] = "{\"schema\":{\"$ref\":\"#/components/schemas/problem\"}}";

	json_key_open(out, name, '{');
	json_key_text(out, "description", when);
	json_key_open(out, "content", '{');
	json_key(out, media);
	json_raw(out, schema, sizeof(schema) - 1);
	json_close(out, '}');
	json_close(out, '}');
}

static bool any_oauth(const struct feature *const *features)
{
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features)
			if (route->oauth)
				return true;
	return false;
}

void openapi_shared_responses(struct buffer *out, const struct feature *const *features)
{
	json_key_open(out, "responses", '{');
	for (size_t i = 0; i < COUNT(failures); i++)
		if (any_possible(&failures[i], features))
			write_problem(out, name_of(out->arena, &failures[i]), PROBLEM_MEDIA,
			    failures[i].when);
	write_problem(out, "problem", PROBLEM_MEDIA, "What else went wrong (RFC 9457).");
	if (any_oauth(features))
		write_problem(out, "oauth_error", "application/json",
		    "What went wrong: \"error\" is one word for it (RFC 6749, 5.2).");
	json_close(out, '}');
}
