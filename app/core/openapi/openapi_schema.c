/* openapi_schema.c - the JSON Schemas of an OpenAPI document. */
#include "core/openapi/openapi_schema.h"

#include "base/text.h"
#include "core/answer/json.h"

#define NEXT_SCHEMA                        \
	"{\"type\":[\"string\",\"null\"]," \
	"\"description\":\"The cursor of the next page: send it as \\\"after\\\".\"}"

/* RFC 9457, with our extension members. */
#define PROBLEM_SCHEMA                                                                 \
	"{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"         \
	"\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"           \
	"\"detail\":{\"type\":\"string\"},\"request_id\":{\"type\":\"string\"},"       \
	"\"trace_id\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":" \
	"{\"type\":\"object\",\"properties\":{\"pointer\":{\"type\":\"string\"},"      \
	"\"in\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}},"              \
	"\"required\":[\"pointer\",\"detail\"]}}},"                                    \
	"\"required\":[\"type\",\"title\",\"status\"]}"

static const char *schema_name(const struct shape *shape)
{
	return text_starts(shape->name, "struct ") ? shape->name + 7 : shape->name;
}

/* How JSON Schema says a kind: its type, what narrows it, and what no keyword before says. */
static const struct {
	const char *type, *format, *more;
} kinds[KINDS] = {
	[TEXT] = { "string", NULL, NULL },
	[INTEGER] = { "integer", "int64", NULL },
	[NUMBER] = { "number", NULL, NULL },
	[BOOLEAN] = { "boolean", NULL, NULL },
	[TIME] = { "string", "date-time", NULL },
	[DATE] = { "string", "date", NULL },
	[MONTH] = { "string", NULL, "\"pattern\":\"^[0-9]{4}-(0[1-9]|1[0-2])$\"" },
	[UUID] = { "string", "uuid", NULL },
	[EMAIL] = { "string", "email", NULL },
	[URL] = { "string", "uri", "\"pattern\":\"^https?://\"" },
	[MONEY] = { "number", "decimal", "\"multipleOf\":0.01" },
	[CURSOR] = { "string", NULL, NULL },
};

static bool is_number(const struct field *field)
{
	return field->kind == INTEGER || field->kind == NUMBER || field->kind == MONEY;
}

static void write_range(struct buffer *out, const struct field *field)
{
	bool text = !is_number(field);

	if (field->min == 0 && field->max == 0)
		return;
	json_key(out, text ? "minLength" : "minimum");
	json_integer(out, field->min);
	json_key(out, text ? "maxLength" : "maximum");
	json_integer(out, field->max);
}

static void write_preset(struct buffer *out, const struct field *field)
{
	if (field->preset == NULL)
		return;
	json_key(out, "default");
	if (is_number(field) || field->kind == BOOLEAN)
		json_raw(out, field->preset, strlen(field->preset));
	else
		json_text(out, field->preset);
}

static void write_type(struct buffer *out, const struct field *field)
{
	const char *type = kinds[field->kind].type;

	json_key(out, "type");
	if (field->nullable) {
		json_open(out, '[');
		json_text(out, type);
		json_text(out, "null");
		json_close(out, ']');
	} else {
		json_text(out, type);
	}
	if (kinds[field->kind].format != NULL)
		json_key_text(out, "format", kinds[field->kind].format);
	if (kinds[field->kind].more != NULL)
		json_raw(out, kinds[field->kind].more, strlen(kinds[field->kind].more));
}

void openapi_field(struct buffer *out, const struct field *field)
{
	json_open(out, '{');
	write_type(out, field);
	if (field->doc != NULL)
		json_key_text(out, "description", field->doc);
	write_range(out, field);
	if (field->one_of != NULL) {
		json_key_open(out, "enum", '[');
		for (const char *const *word = field->one_of; *word != NULL; word++)
			json_text(out, *word);
		json_close(out, ']');
	}
	write_preset(out, field);
	json_close(out, '}');
}

bool openapi_in_path(const struct route *route, const char *name)
{
	const char *found = strstr(route->path, name);

	return found != NULL && found[-1] == '{' && found[strlen(name)] == '}';
}

void openapi_object(struct buffer *out, const struct shape *shape, const struct route *route)
{
	json_open(out, '{');
	json_key_text(out, "type", "object");
	json_key_open(out, "properties", '{');
	EACH_FIELD (field, shape) {
		if (route != NULL && openapi_in_path(route, field->name))
			continue;
		json_key(out, field->name);
		openapi_field(out, field);
	}
	json_close(out, '}');
	json_key_open(out, "required", '[');
	EACH_FIELD (field, shape)
		if (route == NULL || (field->required && !openapi_in_path(route, field->name)))
			json_text(out, field->name);
	json_close(out, ']');
	json_key(out, "additionalProperties");
	json_boolean(out, false);
	json_close(out, '}');
}

void openapi_reference(struct buffer *out, const struct shape *shape)
{
	json_open(out, '{');
	json_key_text(
	    out, "$ref", arena_print(out->arena, "#/components/schemas/%s", schema_name(shape)));
	json_close(out, '}');
}

void openapi_list(struct buffer *out, const struct shape *shape)
{
	json_open(out, '{');
	json_key_text(out, "type", "object");
	json_key_open(out, "properties", '{');
	json_key_open(out, "items", '{');
	json_key_text(out, "type", "array");
	json_key(out, "items");
	openapi_reference(out, shape);
	json_close(out, '}');
	json_key(out, "next");
	json_raw(out, NEXT_SCHEMA, sizeof(NEXT_SCHEMA) - 1);
	json_close(out, '}');
	json_key(out, "required");
	json_raw(out, "[\"items\",\"next\"]", 16);
	json_close(out, '}');
}

/* --- the components that all operations refer to --- */

static bool written_before(const struct feature *const *features, const struct route *until)
{
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features) {
			if (route == until)
				return false;
			if (route->gives == until->gives)
				return true;
		}
	return false;
}

static void write_shapes(struct buffer *out, const struct feature *const *features)
{
	for (const struct feature *const *feature = features; *feature != NULL; feature++)
		EACH_ROUTE (route, *feature) {
			if (route->gives == NULL || written_before(features, route))
				continue;
			json_key(out, schema_name(route->gives));
			openapi_object(out, route->gives, NULL);
		}
}

void openapi_shared_schemas(struct buffer *out, const struct feature *const *features)
{
	json_key_open(out, "schemas", '{');
	write_shapes(out, features);
	json_key(out, "problem");
	json_raw(out, PROBLEM_SCHEMA, sizeof(PROBLEM_SCHEMA) - 1);
	json_close(out, '}');
}
