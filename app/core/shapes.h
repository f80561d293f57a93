/*
 * shapes.h - every shape that the tables of a program use, each once, and checked.
 *
 * A table is written by a person and read by four parts of the framework; what
 * none of them could make sense of is said when the program starts, not when
 * the first request comes.
 */
#ifndef CORE_SHAPES_H
#define CORE_SHAPES_H

#include "base/arena.h"
#include "core/route.h"

/* A shape, and on which way it is used. */
struct shape_use {
	const struct shape *shape; /* NULL: the end of the list */
	bool given, taken;         /* by an answer, by a request */
};

struct shapes {
	struct shape_use *use;
	size_t count, room;
};

/* For each of them, in the order of the tables. */
#define EACH_USE(each, shapes) \
	for (const struct shape_use *each = (shapes)->use; each->shape != NULL; each++)

/* Gathers them from all routes, nested ones included.  A mistake in one ends the program. */
const struct shapes *shapes_gather(struct arena *, const struct feature *const *features);

/* The same, and those of jobs, which no client sees. */
const struct shapes *shapes_of_program(struct arena *, const struct feature *const *features);

/* Ends the program, naming ROUTE, when what it takes cannot arrive the way it says. */
void shapes_check_route(struct arena *, const struct route *);

/* Ends the program, naming the field, when SHAPE cannot mean anything. */
void shapes_check(struct arena *, const struct shape *);

#endif
