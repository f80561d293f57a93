/* object.c - a handler's struct while it is filled, whatever its values come from. */
#include "core/input/object.h"

#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/input/bind.h"

/* SIZE rounded up, so that what stands behind is aligned for any type. */
static size_t aligned(size_t size)
{
	const size_t unit = _Alignof(max_align_t);

	return (size + unit - 1) / unit * unit;
}

struct bound *object_bound(const void *object)
{
	return (struct bound *)((char *)(uintptr_t)object - aligned(sizeof(struct bound)));
}

void *object_new(struct arena *arena, const struct shape *shape)
{
	size_t before = aligned(sizeof(struct bound));
	char *object = arena_alloc(arena, before + shape->size);

	object += before;
	object_bound(object)->shape = shape;
	return object;
}

static uint64_t bit_of(const struct shape *shape, const struct field *field)
{
	return UINT64_C(1) << (field - shape->fields);
}

static void complain_of_unknown(
    struct request *rq, const struct target *target, const struct step *at)
{
	const char *names[SHAPE_FIELDS_MOST + 1] = { NULL };
	const char *hint;
	size_t count = 0;

	/* A hint costs more than the rest of the binding: not for names that nobody is told of. */
	if (faults_suffice(rq))
		return;
	EACH_FIELD (field, target->shape)
		names[count++] = field->name;
	hint = text_closest(at->name, names);
	fault_add(rq, target->in, at,
	    hint != NULL ? arena_print(rq->arena, "is unknown; did you mean \"%s\"?", hint)
			 : "is unknown");
}

static const struct field *find_field(const struct shape *shape, const char *name)
{
	EACH_FIELD (field, shape)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

const struct field *object_field_at(const struct shape *shape, size_t offset)
{
	EACH_FIELD (field, shape)
		if (field->offset == offset)
			return field;
	bug("%s has no field at %zu", shape->name, offset);
}

const struct field *object_claim(struct request *rq, const struct target *target, const char *name)
{
	const struct step at = { target->at, name, 0 };
	const struct field *field = find_field(target->shape, name);
	struct bound *bound = object_bound(target->object);

	if (field == NULL || (target->at == NULL && request_path_value(rq, name) != NULL)) {
		if (!target->shape->open)
			complain_of_unknown(rq, target, &at);
		return NULL;
	}
	/* In a query or a form a list is its name again and again. */
	if ((bound->given & bit_of(target->shape, field)) != 0 && field->many == 0) {
		fault_add(rq, target->in, &at, "is given twice");
		return NULL;
	}
	bound->given |= bit_of(target->shape, field);
	return field;
}

void object_unclaim(const struct target *target, const struct field *field)
{
	object_bound(target->object)->given &= ~bit_of(target->shape, field);
}

void object_set_null(const struct target *target, const struct field *field)
{
	object_bound(target->object)->nulls |= bit_of(target->shape, field);
}

/* The value of another field by which this one is required; NULL: it may be left out. */
static const char *requiring(const struct target *target, const struct field *field)
{
	const struct field *other = field->when != NULL ? find_field(target->shape, field->when)
							: NULL;
	const char *value;

	if (other == NULL)
		return NULL;
	value = *(const char *const *)((const char *)target->object + other->offset);
	return value != NULL && text_index(value, field->is) >= 0 ? value : NULL;
}

void object_fill(struct request *rq, const struct target *target)
{
	const struct binder binder = { rq->arena, rq->app->patterns };
	uint64_t given = object_bound(target->object)->given;

	EACH_FIELD (field, target->shape) {
		const char *by;

		if ((given & bit_of(target->shape, field)) != 0)
			continue;
		by = requiring(target, field);
		if (by != NULL)
			fault_add(rq, target->in, &(struct step){ target->at, field->name, 0 },
			    arena_print(
				rq->arena, "is missing, which %s \"%s\" needs", field->when, by));
		else if (field->required)
			fault_add(rq, target->in, &(struct step){ target->at, field->name, 0 },
			    "is missing");
		else if (field->preset != NULL)
			/* It was bound once when the program started, so it can be. */
			(void)bind_from_text(&binder, field, field->preset, target->object);
	}
}

/* --- lists --- */

struct field list_item_field(const struct field *field)
{
	struct field item = *field;

	item.offset = 0;
	item.many = 0;
	item.nullable = false;
	return item;
}

struct list *list_of(const struct target *target, const struct field *field)
{
	return (struct list *)((char *)target->object + field->offset);
}

void list_resize(struct arena *arena, struct list *list, const struct field *field, size_t count)
{
	size_t before = field->kind == OBJECT ? aligned(sizeof(struct bound)) : 0;
	size_t stride = field->kind == OBJECT ? before + aligned(field->of->size)
					      : bind_size(field);
	char *items = (char *)arena_alloc(arena, count * stride + before) + before;

	if (list->count > 0)
		memcpy(items, list->items, list->count * stride);
	*list = (struct list){ items, list->count, stride, field };
	if (field->kind == OBJECT)
		for (size_t i = list->count; i < count; i++)
			object_bound(items + i * stride)->shape = field->of;
}

void list_put(struct list *list, size_t i, const void *object)
{
	size_t before = aligned(sizeof(struct bound));
	char *item = (char *)(uintptr_t)list_item(list, i);

	memcpy(item - before, (const char *)object - before, before + list->field->of->size);
}

bool list_fits(
    struct request *rq, const struct target *target, const struct field *field, size_t count)
{
	const struct step at = { target->at, field->name, 0 };

	if (count >= (size_t)field->least && count <= (size_t)field->many)
		return true;
	fault_add(rq, target->in, &at,
	    arena_print(rq->arena, "must have %lld to %lld items", field->least, field->many));
	return false;
}
