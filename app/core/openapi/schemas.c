/* schemas.c - the JSON Schemas of objects, pages, bodies and problems. */
#include "core/openapi/schemas.h"

#include "core/answer/json.h"

#define NEXT_SCHEMA                        \
	"{\"type\":[\"string\",\"null\"]," \
	"\"description\":\"The cursor of the next page: send it as \\\"after\\\".\"}"

/* RFC 9457, with our extension members. */
#define PROBLEM_SCHEMA                                                                          \
	"{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"                  \
	"\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"                    \
	"\"detail\":{\"type\":\"string\"},\"request_id\":{\"type\":\"string\"},"                \
	"\"trace_id\":{\"type\":\"string\"},\"error\":{\"type\":\"string\"},"                   \
	"\"error_description\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":" \
	"{\"type\":\"object\",\"properties\":{\"pointer\":{\"type\":\"string\"},"               \
	"\"in\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}},"                       \
	"\"required\":[\"pointer\",\"detail\"]}}},"                                             \
	"\"required\":[\"type\",\"title\",\"status\"]}"

/* {"if":{…the other field is one of these…},"then":{"required":[…]}}, for each such field. */
static void write_conditions(struct buffer *out, const struct shape *shape)
{
	bool any = false;

	EACH_FIELD (field, shape) {
		if (field->when == NULL)
			continue;
		if (!any)
			json_key_open(out, "allOf", '[');
		any = true;
		json_open(out, '{');
		json_key_open(out, "if", '{');
		json_key_open(out, "properties", '{');
		json_key_open(out, field->when, '{');
		json_key_open(out, "enum", '[');
		for (size_t i = 0; field->is[i] != NULL; i++)
			json_text(out, field->is[i]);
		json_close(out, ']');
		json_close(out, '}');
		json_close(out, '}');
		json_close(out, '}');
		json_key_open(out, "then", '{');
		json_key_open(out, "required", '[');
		json_text(out, field->name);
		json_close(out, ']');
		json_close(out, '}');
		json_close(out, '}');
	}
	if (any)
		json_close(out, ']');
}

/* ROUTE: whose body this is, when its path says some of it; else NULL. */
static void write_object(const struct schemas *schemas, const struct shape *shape, enum way way,
    const struct route *route)
{
	struct buffer *out = schemas->out;

	json_open(out, '{');
	json_key_text(out, "type", "object");
	json_key_open(out, "properties", '{');
	EACH_FIELD (field, shape) {
		if (route != NULL && route_path_says(route, field->name))
			continue;
		json_key(out, field->name);
		schema_field(schemas, field, way);
	}
	json_close(out, '}');
	json_key_open(out, "required", '[');
	EACH_FIELD (field, shape)
		if ((way == GIVEN || field->required) &&
		    (route == NULL || !route_path_says(route, field->name)))
			json_text(out, field->name);
	json_close(out, ']');
	if (way == TAKEN)
		write_conditions(out, shape);
	/* A shape without fields is any object: what a column of JSON may hold. */
	json_key(out, "additionalProperties");
	json_boolean(out, shape->open || shape->fields->name == NULL);
	json_close(out, '}');
}

static void write_bulk(const struct schemas *schemas, const struct route *route)
{
	struct buffer *out = schemas->out;

	json_open(out, '{');
	json_key_open(out, "oneOf", '[');
	schema_reference(schemas, route->takes, TAKEN);
	json_open(out, '{');
	json_key_text(out, "type", "array");
	json_key(out, "items");
	schema_reference(schemas, route->takes, TAKEN);
	json_key(out, "minItems");
	json_number(out, 1);
	json_key(out, "maxItems");
	json_number(out, route->bulk);
	json_close(out, '}');
	json_close(out, ']');
	json_close(out, '}');
}

void schema_body(const struct schemas *schemas, const struct route *route)
{
	EACH_FIELD (field, route->takes)
		if (route_path_says(route, field->name)) {
			write_object(schemas, route->takes, TAKEN, route);
			return;
		}
	if (route->bulk > 0)
		write_bulk(schemas, route);
	else
		schema_reference(schemas, route->takes, TAKEN);
}

void schema_page(const struct schemas *schemas, const struct shape *shape)
{
	struct buffer *out = schemas->out;

	json_open(out, '{');
	json_key_text(out, "type", "object");
	json_key_open(out, "properties", '{');
	json_key_open(out, "items", '{');
	json_key_text(out, "type", "array");
	json_key(out, "items");
	schema_reference(schemas, shape, GIVEN);
	json_close(out, '}');
	json_key(out, "next");
	json_raw(out, NEXT_SCHEMA, sizeof(NEXT_SCHEMA) - 1);
	json_close(out, '}');
	json_key(out, "required");
	json_raw(out, "[\"items\",\"next\"]", 16);
	json_close(out, '}');
}

void schemas_write(const struct schemas *schemas)
{
	struct buffer *out = schemas->out;

	json_key_open(out, "schemas", '{');
	for (size_t i = 0; i < schemas->count; i++)
		for (enum way way = 0; way < WAYS; way++) {
			if (schemas->named[i].name[way] == NULL)
				continue;
			json_key(out, schemas->named[i].name[way]);
			write_object(schemas, schemas->named[i].shape, way, NULL);
		}
	json_key(out, "problem");
	json_raw(out, PROBLEM_SCHEMA, sizeof(PROBLEM_SCHEMA) - 1);
	json_close(out, '}');
}
