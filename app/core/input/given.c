/* given.c - what a handler learns of its input: the values, and which of them were given. */
#include "core/input/arrays.h"
#include "core/input/object.h"

const void *input(struct request *rq)
{
	return rq->input;
}

const struct list *input_list(struct request *rq)
{
	return &rq->inputs;
}

bool given_any(struct request *rq)
{
	return object_bound(rq->input)->given != 0;
}

static bool has(uint64_t bits, const struct shape *shape, const struct field *field)
{
	return (bits >> (field - shape->fields) & 1) != 0;
}

bool given_at(const void *object, size_t offset)
{
	const struct bound *bound = object_bound(object);

	return has(bound->given, bound->shape, object_field_at(bound->shape, offset));
}

struct value given_value(struct request *rq, const void *object, size_t offset)
{
	const struct bound *bound = object_bound(object);
	const struct field *field = object_field_at(bound->shape, offset);

	if (!has(bound->given, bound->shape, field) || has(bound->nulls, bound->shape, field))
		return (struct value){ .kind = NOTHING };
	return value_of_member(rq->arena, field, object);
}

struct value sql_array(struct request *rq, const struct list *list)
{
	return value_text(array_of_items(rq->arena, list));
}

struct value sql_column(struct request *rq, const struct list *list, size_t offset)
{
	return value_text(array_of_members(rq->arena, list, offset));
}
