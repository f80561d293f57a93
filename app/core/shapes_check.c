/* shapes_check.c - what a table can say by mistake, said when the program starts. */
#include <string.h>

#include "base/log.h"
#include "core/input/bind.h"
#include "core/shapes.h"

static void check_preset(struct arena *arena, const struct shape *shape, const struct field *field)
{
	const struct binder binder = { arena, NULL };
	const char *wrong;

	if (field->preset == NULL)
		return;
	if (field->kind == OBJECT || field->kind == UPLOAD || field->many > 0)
		bug("%s.%s: no preset can be that", shape->name, field->name);
	wrong = bind_from_text(&binder, field, field->preset, arena_alloc(arena, shape->size));
	if (wrong != NULL)
		bug("the preset of %s.%s %s", shape->name, field->name, wrong);
}

static void check_field(const struct shape *shape, const struct field *field)
{
	if (field->kind <= NOTHING || field->kind >= KINDS)
		bug("%s.%s has no kind: FIELD_AS names one", shape->name, field->name);
	if ((field->kind == OBJECT) != (field->of != NULL))
		bug("%s.%s: .of is for an OBJECT, and an OBJECT needs it", shape->name,
		    field->name);
	if (field->kind != TEXT && field->pattern != NULL)
		bug("%s.%s: .pattern is for TEXT", shape->name, field->name);
	if (field->kind != TEXT && field->kind != UPLOAD && field->one_of != NULL)
		bug("%s.%s: .one_of is for TEXT, or the media types of an UPLOAD", shape->name,
		    field->name);
	if ((field->kind == CURSOR || field->kind == UPLOAD) &&
	    (field->many > 0 || field->nullable))
		bug("%s.%s is there once, or not given", shape->name, field->name);
	if ((field->when != NULL) != (field->is != NULL))
		bug("%s.%s: .when and .is go together", shape->name, field->name);
	if (field->max != 0 && field->min > field->max)
		bug("%s.%s: .min is above .max", shape->name, field->name);
	if (field->least < 0 || field->many < 0 || field->least > field->many)
		bug("%s.%s: .least is for a list, and at most .many", shape->name, field->name);
}

void shapes_check(struct arena *arena, const struct shape *shape)
{
	size_t count = 0;

	EACH_FIELD (field, shape) {
		check_field(shape, field);
		check_preset(arena, shape, field);
		count++;
	}
	if (count > SHAPE_FIELDS_MOST)
		bug("%s has more than %d fields", shape->name, SHAPE_FIELDS_MOST);
}

static bool is_in_path(struct arena *arena, const struct route *route, const char *name)
{
	return strstr(route->path, arena_print(arena, "{%s}", name)) != NULL;
}

static void check_raw(const struct route *route)
{
	size_t files = 0;

	EACH_FIELD (field, route->takes) {
		files += field->kind == UPLOAD;
		if (field->kind == UPLOAD && field->max <= 0)
			bug("%s: how large may its file be? .max", route->path);
		if (field->kind != UPLOAD && field->required)
			bug("%s: beside its file a raw body says nothing", route->path);
	}
	if (files != 1 || route->form || route->bulk > 0)
		bug("%s: a raw body is one file", route->path);
}

void shapes_check_route(struct arena *arena, const struct route *route)
{
	bool pairs = route->method == GET || route->method == DELETE || route->form ||
		     route_takes_files(route);

	if (route->bulk > 0 && (pairs || route->takes == NULL))
		bug("%s: only JSON can be a list of what it takes", route->path);
	if (route_takes_files(route) &&
	    (route->method == GET || route->method == DELETE || route->form))
		bug("%s: a file comes with multipart/form-data alone", route->path);
	if (route->digested && route->method != GET)
		bug("%s: only what is read has a digest", route->path);
	if (route->raw != NULL)
		check_raw(route);
	if (route->takes == NULL)
		return;
	EACH_FIELD (field, route->takes) {
		bool in_path = is_in_path(arena, route, field->name);

		if ((pairs || in_path) && field->kind == OBJECT)
			bug("%s: no query, form or path can hold the object %s", route->path,
			    field->name);
		if (in_path && (field->many > 0 || route->bulk > 0 || field->kind == UPLOAD))
			bug("%s: %s is one value in the path", route->path, field->name);
	}
}
