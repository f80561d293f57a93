/* queue_add.h - a statement whose values outlive the place where they were made; private to
 * queue*.c. */
#ifndef STORE_QUEUE_ADD_H
#define STORE_QUEUE_ADD_H

#include <string.h>

#include "base/attributes.h"
#include "store/connection.h"

/* A copy of the VALUES in the arena: a pipeline is sent later. */
static inline struct statement queue_keep(
    struct arena *arena, const char *sql, const struct value *values, size_t count)
{
	struct value *kept = arena_alloc(arena, count * sizeof(*kept));

	memcpy(kept, values, count * sizeof(*kept));
	return (struct statement){ sql, count, kept };
}

/* KEEP(arena, sql, value, …): the SQL must be a literal. */
#define KEEP(arena, sql, ...)                                                 \
	queue_keep(arena, "" sql "", (struct value[]){ VALUES(__VA_ARGS__) }, \
	    COUNT(((struct value[]){ VALUES(__VA_ARGS__) })))

#define ADD(pipeline, arena, sql, ...) \
	pipeline_add(pipeline, &(struct statement[]){ KEEP(arena, sql, __VA_ARGS__) }[0])

#endif
