/*
 * openapi.c - all features as an OpenAPI 3.1 document.
 *
 * Nothing is said here that a table does not say: the document cannot promise
 * what the router and the binding do not do.
 */
#include "core/openapi/openapi.h"

#include <ctype.h>
#include <string.h>

#include "core/answer/json.h"
#include "core/openapi/openapi_headers.h"
#include "core/openapi/openapi_responses.h"
#include "core/openapi/schemas.h"

/* Wherever the document was fetched from: no instance knows all of its names. */
#define SERVERS "[{\"url\":\"/\"}]"

static void write_parameter(
    const struct schemas *schemas, const char *in, const struct field *field)
{
	struct buffer *out = schemas->out;

	json_open(out, '{');
	json_key_text(out, "name", field->name);
	json_key_text(out, "in", in);
	json_key(out, "required");
	json_boolean(out, field->required || strcmp(in, "path") == 0);
	json_key(out, "schema");
	schema_field(schemas, field, TAKEN);
	json_close(out, '}');
}

static const struct field *field_of(const struct shape *shape, const char *name, size_t length)
{
	if (shape == NULL)
		return NULL;
	EACH_FIELD (field, shape)
		if (strlen(field->name) == length && strncmp(field->name, name, length) == 0)
			return field;
	return NULL;
}

static void write_path_parameters(const struct schemas *schemas, const struct route *route)
{
	const char *name = route->path;

	while ((name = strchr(name, '{')) != NULL) {
		size_t length = strcspn(++name, "}");
		const struct field *known = field_of(route->takes, name, length);
		struct field number = { .kind = INTEGER,
			.name = arena_copy(schemas->out->arena, name, length) };

		write_parameter(schemas, "path", known != NULL ? known : &number);
	}
}

static void write_parameters(const struct schemas *schemas, const struct route *route)
{
	struct buffer *out = schemas->out;
	bool query = (route->method == GET || route->method == DELETE) && route->takes != NULL;

	static const struct field partial = { .name = "partial",
		.kind = BOOLEAN,
		.preset = "false",
		.doc = "Whether the items without errors are taken, or none when one has any." };

	if (!query && !route->partial && strchr(route->path, '{') == NULL &&
	    !openapi_takes_headers(route))
		return;
	json_key_open(out, "parameters", '[');
	write_path_parameters(schemas, route);
	if (query)
		EACH_FIELD (field, route->takes)
			if (!route_path_says(route, field->name))
				write_parameter(schemas, "query", field);
	if (route->partial)
		write_parameter(schemas, "query", &partial);
	openapi_taken_headers(out, route);
	json_close(out, ']');
}

/* Which media types each file may be of. */
static void write_encoding(struct buffer *out, const struct route *route)
{
	struct buffer types;

	json_key_open(out, "encoding", '{');
	EACH_FIELD (field, route->takes) {
		if (field->kind != UPLOAD || field->one_of == NULL)
			continue;
		buffer_start(&types, out->arena, 64);
		buffer_add_words(&types, field->one_of, ", ");
		json_key_open(out, field->name, '{');
		json_key(out, "contentType");
		json_bytes(out, types.data, types.length);
		json_close(out, '}');
	}
	json_close(out, '}');
}

static void write_body(const struct schemas *schemas, const struct route *route)
{
	struct buffer *out = schemas->out;

	if (!route_takes_body(route))
		return;
	json_key_open(out, "requestBody", '{');
	json_key(out, "required");
	json_boolean(out, true);
	json_key_open(out, "content", '{');
	json_key_open(out, route_takes_media(route), '{');
	json_key(out, "schema");
	if (route->raw != NULL)
		json_raw(out, "{\"type\":\"string\"}", strlen("{\"type\":\"string\"}"));
	else
		schema_body(schemas, route);
	if (route->raw == NULL && route_takes_files(route))
		write_encoding(out, route);
	for (int i = 0; i < 3; i++)
		json_close(out, '}');
}

/* "GET /api/tasks/{id}" as an identifier: get_api_tasks_id. */
static const char *operation_id(struct arena *arena, const struct route *route)
{
	char *id = arena_print(arena, "%s%s", method_name(route->method), route->path);
	char *out = id;

	for (char *in = id; *in != '\0'; in++) {
		if (isalnum((unsigned char)*in))
			*out++ = (char)tolower((unsigned char)*in);
		else if ((*in == '/' || *in == '.') && in[1] != '\0')
			*out++ = '_';
	}
	*out = '\0';
	return id;
}

/* Either is enough; without TLS the cookie is "sid". */
#define SCHEMES                                                                        \
	"{\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-sid\"," \
	"\"description\":\"Set by POST /api/login; sid without TLS.\"},"               \
	"\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}}"

static void write_security(struct buffer *out, const struct route *route)
{
	const char *schemes = route->in_person ? "[{\"session\":[]}]"
					       : "[{\"session\":[]},{\"token\":[]}]";

	if (route->access == ANYONE)
		return;
	json_key(out, "security");
	json_raw(out, schemes, strlen(schemes));
}

static void write_operation(
    const struct schemas *schemas, const struct feature *feature, const struct route *route)
{
	struct buffer *out = schemas->out;
	char *verb = arena_print(out->arena, "%s", method_name(route->method));

	for (char *c = verb; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	json_key_open(out, verb, '{');
	json_key_text(out, "operationId", operation_id(out->arena, route));
	json_key_text(out, "summary", route->summary);
	json_key_text(out, "x-access", access_name(route->access));
	write_security(out, route);
	json_key_open(out, "tags", '[');
	json_text(out, feature->name);
	json_close(out, ']');
	write_parameters(schemas, route);
	write_body(schemas, route);
	openapi_responses(schemas, route);
	json_close(out, '}');
}

/* --- the document --- */

static bool path_written_before(const struct feature *const *features, const struct route *until)
{
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features) {
			if (route == until)
				return false;
			if (strcmp(route->path, until->path) == 0)
				return true;
		}
	return false;
}

/* Everything that can be done at one path, whichever features do it. */
static void write_path(
    const struct schemas *schemas, const struct feature *const *features, const char *path)
{
	struct buffer *out = schemas->out;

	json_key_open(out, path, '{');
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features)
			if (strcmp(route->path, path) == 0)
				write_operation(schemas, *features, route);
	json_close(out, '}');
}

static void write_tags(struct buffer *out, const struct feature *const *features)
{
	json_key_open(out, "tags", '[');
	for (; *features != NULL; features++) {
		json_open(out, '{');
		json_key_text(out, "name", (*features)->name);
		json_key_text(out, "description", (*features)->doc);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void write_info(struct buffer *out, const struct openapi_info *info)
{
	json_key_open(out, "info", '{');
	json_key_text(out, "title", info->title);
	json_key_text(out, "version", info->version);
	if (info->license != NULL) {
		json_key_open(out, "license", '{');
		json_key_text(out, "name", info->license);
		json_key_text(out, "identifier", info->license);
		json_close(out, '}');
	}
	json_close(out, '}');
}

void openapi_write(
    struct buffer *out, const struct openapi_info *info, const struct feature *const *features)
{
	const struct schemas schemas = schemas_name(out, features);

	json_open(out, '{');
	json_key_text(out, "openapi", "3.1.0");
	write_info(out, info);
	json_key(out, "servers");
	json_raw(out, SERVERS, sizeof(SERVERS) - 1);
	json_key(out, "security");
	json_raw(out, "[]", 2);
	write_tags(out, features);
	json_key_open(out, "paths", '{');
	for (const struct feature *const *feature = features; *feature != NULL; feature++)
		EACH_ROUTE (route, *feature)
			if (!path_written_before(features, route))
				write_path(&schemas, features, route->path);
	json_close(out, '}');
	json_key_open(out, "components", '{');
	json_key(out, "securitySchemes");
	json_raw(out, SCHEMES, sizeof(SCHEMES) - 1);
	schemas_write(&schemas);
	openapi_shared_responses(out, features);
	json_close(out, '}');
	json_close(out, '}');
}
