/*
 * schema_names.c - which shapes are components of an OpenAPI document, and by which names.
 *
 * "struct task" is called task.  Where one shape is both given and taken, what is
 * taken is task_input; where two shapes are of one struct, the second is task_2,
 * unless its table names it better (SHAPE_NAMED).
 */
#include "core/openapi/schemas.h"

#include "base/text.h"
#include "core/answer/json.h"

static struct named *find(const struct schemas *schemas, const struct shape *shape)
{
	for (size_t i = 0; i < schemas->count; i++)
		if (schemas->named[i].shape == shape)
			return &schemas->named[i];
	return NULL;
}

static bool is_free(const struct schemas *schemas, const char *name)
{
	if (strcmp(name, "problem") == 0)
		return false;
	for (size_t i = 0; i < schemas->count; i++)
		for (enum way way = 0; way < WAYS; way++)
			if (schemas->named[i].name[way] != NULL &&
			    strcmp(schemas->named[i].name[way], name) == 0)
				return false;
	return true;
}

static void name_one(const struct schemas *schemas, const struct shape *shape, enum way way)
{
	struct arena *arena = schemas->out->arena;
	struct named *named = find(schemas, shape);
	const char *plain = text_starts(shape->name, "struct ") ? shape->name + 7 : shape->name;
	const char *name = plain;

	if (named->name[way] != NULL)
		return;
	if (way == TAKEN && named->name[GIVEN] != NULL)
		plain = name = arena_print(arena, "%s_input", plain);
	for (int number = 2; !is_free(schemas, name); number++)
		name = arena_print(arena, "%s_%d", plain, number);
	named->name[way] = name;
	EACH_FIELD (field, shape)
		if (field->of != NULL)
			name_one(schemas, field->of, way);
}

static bool path_says_any(const struct route *route)
{
	EACH_FIELD (field, route->takes)
		if (route_path_says(route, field->name))
			return true;
	return false;
}

/* A query has parameters and a body without what the path says is written where it stands. */
static void name_taken(const struct schemas *schemas, const struct route *route)
{
	if (!route_takes_body(route))
		return;
	if (!path_says_any(route)) {
		name_one(schemas, route->takes, TAKEN);
		return;
	}
	EACH_FIELD (field, route->takes)
		if (field->of != NULL)
			name_one(schemas, field->of, TAKEN);
}

struct schemas schemas_name(struct buffer *out, const struct feature *const *features)
{
	const struct shapes *shapes = shapes_gather(out->arena, features);
	struct schemas schemas = { .out = out };

	schemas.named = arena_alloc(out->arena, (shapes->count + 1) * sizeof(*schemas.named));
	EACH_USE (use, shapes)
		schemas.named[schemas.count++].shape = use->shape;
	for (const struct feature *const *feature = features; *feature != NULL; feature++)
		EACH_ROUTE (route, *feature) {
			if (route->gives != NULL)
				name_one(&schemas, route->gives, GIVEN);
			if (route->or_gives != NULL)
				name_one(&schemas, route->or_gives, GIVEN);
		}
	for (const struct feature *const *feature = features; *feature != NULL; feature++)
		EACH_ROUTE (route, *feature)
			name_taken(&schemas, route);
	return schemas;
}

void schema_reference(const struct schemas *schemas, const struct shape *shape, enum way way)
{
	struct buffer *out = schemas->out;

	json_open(out, '{');
	json_key_text(out, "$ref",
	    arena_print(out->arena, "#/components/schemas/%s", find(schemas, shape)->name[way]));
	json_close(out, '}');
}
