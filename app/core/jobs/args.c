/*
 * args.c - a job's arguments: whether a struct fits its shape, and what makes two jobs one.
 *
 * Whoever enqueues has a struct, not a text, so the check does not go through
 * JSON: it is made for every job of a hundred thousand.
 */
#include "core/jobs/args.h"

#include <stdio.h>
#include <string.h>

#include "core/answer/json.h"
#include "core/answer/record.h"

static const void *member(const struct field *field, const void *args)
{
	return (const char *)args + field->offset;
}

/* One value, where PLACE is; SCRATCH takes what the check would store. */
static const char *check_value(
    const struct binder *binder, const struct field *field, const void *place, void *scratch)
{
	char digits[32];

	switch (field->kind) {
	case INTEGER:
		return bind_integer(binder, field, *(const long long *)place, scratch);
	case NUMBER:
		snprintf(digits, sizeof(digits), "%.17g", *(const double *)place);
		return bind_digits(binder, field, digits, scratch);
	case BOOLEAN:
		return NULL;
	default:
		return bind_from_text(binder, field, *(const char *const *)place, scratch);
	}
}

static const char *check_list(
    const struct binder *binder, const struct field *field, const struct list *list, void *scratch)
{
	const char *wrong = NULL;

	if (list->count < (size_t)field->least || list->count > (size_t)field->many)
		return arena_print(binder->arena, "must have %lld to %lld values, not %zu",
		    field->least, field->many, list->count);
	for (size_t i = 0; i < list->count && wrong == NULL; i++)
		wrong = field->kind == OBJECT
			    ? args_check(binder, field->of, list_item(list, i))
			    : check_value(binder, field, list_item(list, i), scratch);
	return wrong;
}

static const char *check_member(
    const struct binder *binder, const struct field *field, const void *args, void *scratch)
{
	const void *place = member(field, args);

	if (!record_has(field, args))
		return field->required ? "is missing" : NULL;
	if (field->many > 0)
		return check_list(binder, field, place, scratch);
	if (field->kind == OBJECT)
		return args_check(binder, field->of, *(const void *const *)place);
	return check_value(binder, field, place, scratch);
}

const char *args_check(const struct binder *binder, const struct shape *shape, const void *args)
{
	void *scratch;

	if (shape == NULL)
		return NULL;
	scratch = arena_alloc(binder->arena, shape->size);
	EACH_FIELD (field, shape) {
		const char *wrong = check_member(binder, field, args, scratch);

		if (wrong != NULL)
			return arena_print(binder->arena, "%s %s", field->name, wrong);
	}
	return NULL;
}

/* Whether NAME is one of the blank-separated LIST. */
static bool lists(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (; *list != '\0'; list += strcspn(list, " "), list += strspn(list, " "))
		if (strncmp(list, name, length) == 0 && strchr(" ", list[length]) != NULL)
			return true;
	return false;
}

const char *args_unique(
    struct arena *arena, const char *unique, const struct shape *shape, const void *args)
{
	struct buffer key;

	if (unique == NULL)
		return NULL;
	buffer_start(&key, arena, 64);
	json_open(&key, '{');
	if (shape != NULL)
		EACH_FIELD (field, shape)
			if ((strcmp(unique, "*") == 0 || lists(unique, field->name)) &&
			    record_has(field, args))
				record_write_member(&key, field, args);
	buffer_add(&key, "}", 2); /* with its NUL */
	return key.data;
}
