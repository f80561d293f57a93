/*
 * json_body.c - a JSON object bound to a shape.
 *
 * Jansson parses, because it rejects duplicate keys, NULs and broken UTF-8 and
 * is kept well.  Its tree lives only inside this file: the values go into the
 * input's struct, and the tree is gone before the handler runs.
 */
#include "core/input/json_body.h"

#include <jansson.h>

#include "core/input/bind.h"
#include "core/input/faults.h"
#include "core/input/inputs.h"

/* Deeper than any shape: jansson itself would follow 2,048 levels. */
#define DEPTH_MOST 64

void json_body_init(void)
{
	/* Seeds the hash of objects: a client that could guess it could slow us down. */
	json_object_seed(0);
}

static bool too_deep(const char *text, size_t length)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < length; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > DEPTH_MOST)
			return true;
	}
	return false;
}

static const char *bind_member(
    struct arena *arena, const struct field *field, const json_t *value, void *input)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return bind_text(
		    arena, field, json_string_value(value), json_string_length(value), input);
	case JSON_INTEGER:
		return bind_integer(arena, field, json_integer_value(value), input);
	case JSON_REAL:
		return bind_number(arena, field, json_real_value(value), input);
	case JSON_TRUE:
	case JSON_FALSE:
		return bind_boolean(field, json_is_true(value), input);
	default:
		return bind_expectation(field);
	}
}

static void bind_object(struct request *rq, json_t *object)
{
	const char *name, *wrong;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		/* Jansson's own memory ends with this function; a name may go into a fault. */
		const char *kept = arena_copy(rq->arena, name, strlen(name));
		const struct field *field = inputs_claim(rq, IN_BODY, kept);

		if (field == NULL)
			continue;
		wrong = bind_member(rq->arena, field, value, rq->input);
		if (wrong != NULL)
			fault_add(rq, IN_BODY, field->name, wrong);
	}
}

static const char *explain(struct arena *arena, const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return "The body names a member twice.";
	case json_error_null_character:
		return "The body has a NUL character in a text.";
	case json_error_invalid_utf8:
		return "The body is not valid UTF-8.";
	case json_error_end_of_input_expected:
		return "The body goes on behind its JSON.";
	default:
		return arena_print(arena, "The body is not valid JSON: line %d, column %d.",
		    error->line, error->column);
	}
}

const char *json_body_bind(struct request *rq, const char *text, size_t length)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_error_t error;
	json_t *json;

	if (too_deep(text, length))
		return "The body is nested too deeply.";
	json = json_loadb(text, length, flags, &error);
	/* A whole number over 64 bits is good JSON with a wrong value: its field says so then. */
	if (json == NULL && json_error_code(&error) == json_error_numeric_overflow)
		json = json_loadb(text, length, flags | JSON_DECODE_INT_AS_REAL, &error);
	if (json == NULL)
		return explain(rq->arena, &error);
	if (!json_is_object(json)) {
		json_decref(json);
		return "The body must be a JSON object.";
	}
	bind_object(rq, json);
	json_decref(json);
	return NULL;
}
