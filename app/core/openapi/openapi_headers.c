/* openapi_headers.c - the header fields that a route's columns bring. */
#include "core/openapi/openapi_headers.h"

#include "core/answer/json.h"

static bool has_version(const struct route *route)
{
	if (route->gives == NULL || route->list)
		return false;
	EACH_FIELD (field, route->gives)
		if (strcmp(field->name, "version") == 0)
			return true;
	return false;
}

/* --- of a request --- */

static bool is_versioned(const struct route *route)
{
	return route->versioned != NULL;
}

static bool needs_match(const struct route *route)
{
	return route->needs_match;
}

static bool never(const struct route *route)
{
	(void)route;
	return false;
}

static const struct taken {
	const char *name;
	bool (*applies)(const struct route *);
	bool (*required)(const struct route *);
	const char *doc;
} taken[] = {
	{ "Idempotency-Key", route_creates, never,
	    "A key of the client's own, a UUID for instance: asking again with it creates nothing "
	    "more." },
	{ "If-Match", is_versioned, needs_match,
	    "The ETag of what is to be changed: 412 when it has another by then." },
	{ "If-None-Match", is_versioned, never,
	    "The change is not made when what is there has one of these ETags (*: any)." },
};

bool openapi_takes_headers(const struct route *route)
{
	for (size_t i = 0; i < COUNT(taken); i++)
		if (taken[i].applies(route))
			return true;
	return false;
}

void openapi_taken_headers(struct buffer *out, const struct route *route)
{
	for (size_t i = 0; i < COUNT(taken); i++) {
		if (!taken[i].applies(route))
			continue;
		json_open(out, '{');
		json_key_text(out, "name", taken[i].name);
		json_key_text(out, "in", "header");
		json_key(out, "required");
		json_boolean(out, taken[i].required(route));
		json_key_text(out, "description", taken[i].doc);
		json_key_open(out, "schema", '{');
		json_key_text(out, "type", "string");
		json_close(out, '}');
		json_close(out, '}');
	}
}

/* --- of an answer --- */

static bool is_digested(const struct route *route)
{
	return route->digested;
}

static bool has_location(const struct route *route)
{
	int status = route_success(route);

	return status == 201 || status == 202 || status == 303;
}

static const struct given {
	const char *name;
	bool (*applies)(const struct route *);
	const char *doc;
} given_headers[] = {
	{ "ETag", has_version, "The version of what is given, for If-Match and If-None-Match." },
	{ "ETag", is_digested, "Of what is given, for If-None-Match." },
	{ "Location", has_location, "Where it is to be found." },
	{ "Idempotency-Replayed", route_creates,
	    "\"true\": the answer that was given before under the same Idempotency-Key." },
};

void openapi_given_headers(struct buffer *out, const struct route *route)
{
	bool any = false;

	for (size_t i = 0; i < COUNT(given_headers); i++) {
		if (!given_headers[i].applies(route))
			continue;
		if (!any)
			json_key_open(out, "headers", '{');
		any = true;
		json_key_open(out, given_headers[i].name, '{');
		json_key_text(out, "description", given_headers[i].doc);
		json_key_open(out, "schema", '{');
		json_key_text(out, "type", "string");
		json_close(out, '}');
		json_close(out, '}');
	}
	if (any)
		json_close(out, '}');
}
