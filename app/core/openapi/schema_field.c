/* schema_field.c - the JSON Schema (2020-12) of one field. */
#include "core/answer/json.h"
#include "core/openapi/schemas.h"

/* Not blank: what bind.c asks of a text with a .min. */
#define NOT_BLANK "[^ \\t\\r\\n\\v\\f]"

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
	[CURSOR] = { "string", "cursor", NULL },
	[UPLOAD] = { "string", NULL, "\"contentMediaType\":\"application/octet-stream\"" },
};

static bool is_number(const struct field *field)
{
	return field->kind == INTEGER || field->kind == NUMBER || field->kind == MONEY;
}

/* TEXT, as a person would write the value, as JSON. */
static void write_literal(struct buffer *out, const struct field *field, const char *text)
{
	if (is_number(field) || field->kind == BOOLEAN)
		json_raw(out, text, strlen(text));
	else
		json_text(out, text);
}

static void write_type(struct buffer *out, const char *type, bool nullable)
{
	json_key(out, "type");
	if (!nullable) {
		json_text(out, type);
		return;
	}
	json_open(out, '[');
	json_text(out, type);
	json_text(out, "null");
	json_close(out, ']');
}

static void write_limit(struct buffer *out, const char *keyword, long long limit)
{
	json_key(out, keyword);
	json_number(out, limit);
}

static void write_range(struct buffer *out, const struct field *field)
{
	if (is_number(field)) {
		if (field->min == 0 && field->max == 0)
			return;
		write_limit(out, "minimum", field->min);
		write_limit(out, "maximum", field->max);
		return;
	}
	if (field->min > 0)
		write_limit(out, "minLength", field->min);
	if (field->max > 0)
		write_limit(out, "maxLength", field->max);
}

static void write_words(struct buffer *out, const struct field *field)
{
	/* A file's are media types: they stand beside the schema, see openapi.c. */
	if (field->one_of != NULL && field->kind == TEXT) {
		json_key_open(out, "enum", '[');
		for (const char *const *word = field->one_of; *word != NULL; word++)
			json_text(out, *word);
		if (field->nullable)
			json_nothing(out);
		json_close(out, ']');
	}
	if (field->pattern != NULL)
		json_key_text(out, "pattern", field->pattern);
	else if (field->kind == TEXT && field->min > 0)
		json_key_text(out, "pattern", NOT_BLANK);
}

static void write_scalar(struct buffer *out, const struct field *field)
{
	write_type(out, kinds[field->kind].type, field->nullable);
	if (kinds[field->kind].format != NULL)
		json_key_text(out, "format", kinds[field->kind].format);
	if (kinds[field->kind].more != NULL)
		json_raw(out, kinds[field->kind].more, strlen(kinds[field->kind].more));
	write_range(out, field);
	write_words(out, field);
	/* JSON Schema has no word for it; a client that knows expects a 409. */
	if (field->unique != NULL)
		json_raw(out, "\"x-unique\":true", 15);
	if (field->preset != NULL) {
		json_key(out, "default");
		write_literal(out, field, field->preset);
	}
	if (field->example != NULL) {
		json_key_open(out, "examples", '[');
		write_literal(out, field, field->example);
		json_close(out, ']');
	}
}

static void write_object(const struct schemas *schemas, const struct field *field, enum way way)
{
	struct buffer *out = schemas->out;

	json_key_open(out, "anyOf", '[');
	schema_reference(schemas, field->of, way);
	if (field->nullable)
		json_raw(out, "{\"type\":\"null\"}", 15);
	json_close(out, ']');
}

static void write_list(const struct schemas *schemas, const struct field *field, enum way way)
{
	struct buffer *out = schemas->out;
	struct field item = *field;

	item.many = 0;
	item.nullable = false;
	item.doc = NULL;
	write_type(out, "array", field->nullable);
	json_key(out, "items");
	schema_field(schemas, &item, way);
	if (way == GIVEN)
		return;
	if (field->least > 0)
		write_limit(out, "minItems", field->least);
	write_limit(out, "maxItems", field->many);
}

void schema_field(const struct schemas *schemas, const struct field *field, enum way way)
{
	struct buffer *out = schemas->out;

	if (field->kind == OBJECT && field->many == 0 && !field->nullable && field->doc == NULL) {
		schema_reference(schemas, field->of, way);
		return;
	}
	json_open(out, '{');
	if (field->doc != NULL)
		json_key_text(out, "description", field->doc);
	if (field->many > 0)
		write_list(schemas, field, way);
	else if (field->kind == OBJECT)
		write_object(schemas, field, way);
	else
		write_scalar(out, field);
	json_close(out, '}');
}
