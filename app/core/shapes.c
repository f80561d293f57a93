/* shapes.c - every shape that the tables of a program use, each once. */
#include "core/shapes.h"

#include <string.h>

static struct shape_use *find(struct shapes *shapes, const struct shape *shape)
{
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->use[i].shape == shape)
			return &shapes->use[i];
	return NULL;
}

/* Room for one more, and for the end of the list behind it. */
static struct shape_use *append(struct arena *arena, struct shapes *shapes)
{
	size_t old = shapes->room * sizeof(*shapes->use);

	if (shapes->count + 1 >= shapes->room) {
		shapes->room = shapes->room * 2 + 16;
		shapes->use = arena_grow(
		    arena, shapes->use, old, shapes->room * sizeof(*shapes->use));
		memset((char *)shapes->use + old, 0, shapes->room * sizeof(*shapes->use) - old);
	}
	return &shapes->use[shapes->count++];
}

static void add(struct arena *arena, struct shapes *shapes, const struct shape *shape, bool taken)
{
	struct shape_use *use;

	if (shape == NULL)
		return;
	use = find(shapes, shape);
	/* A shape that holds itself, as a tree does, ends here. */
	if (use != NULL && (taken ? use->taken : use->given))
		return;
	if (use == NULL) {
		shapes_check(arena, shape);
		use = append(arena, shapes);
		use->shape = shape;
	}
	use->taken |= taken;
	use->given |= !taken;
	EACH_FIELD (field, shape)
		add(arena, shapes, field->of, taken);
}

static struct shapes *gather(struct arena *arena, const struct feature *const *features)
{
	struct shapes *shapes = arena_alloc(arena, sizeof(*shapes));

	append(arena, shapes);
	shapes->count = 0;
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features) {
			add(arena, shapes, route->takes, true);
			add(arena, shapes, route->gives, false);
			add(arena, shapes, route->or_gives, false);
			shapes_check_route(arena, route);
		}
	return shapes;
}

const struct shapes *shapes_gather(struct arena *arena, const struct feature *const *features)
{
	return gather(arena, features);
}

const struct shapes *shapes_of_program(struct arena *arena, const struct feature *const *features)
{
	struct shapes *shapes = gather(arena, features);

	for (; *features != NULL; features++)
		EACH_JOB(kind, *features)
	add(arena, shapes, (*kind)->takes, true);
	return shapes;
}
