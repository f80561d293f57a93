/*
 * args.c - a job's arguments: a struct, bound to its shape, as JSON.
 *
 * Whoever enqueues has a struct, not a text, so the check does not go through
 * JSON: it is made for every job of a hundred thousand.
 */
#include "core/jobs/args.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/answer/json.h"

static const void *member(const struct field *field, const void *args)
{
	return (const char *)args + field->offset;
}

static const char *text_at(const void *place)
{
	return *(const char *const *)place;
}

static bool is_list(const struct field *field)
{
	return field->many > 0;
}

static const char *digits_at(const void *place, char digits[static 32])
{
	snprintf(digits, 32, "%.17g", *(const double *)place);
	return digits;
}

/* A number has no way to say that it was not given: 0 says it where 0 may not be. */
static bool zero_is_a_value(const struct field *field)
{
	return field->required ||
	       (field->min <= 0 && (field->max >= 0 || field->min == field->max));
}

static bool is_there(const struct field *field, const void *args)
{
	const void *place = member(field, args);

	if (is_list(field))
		return field->required || ((const struct list *)place)->count > 0;
	switch (field->kind) {
	case INTEGER:
		return *(const long long *)place != 0 || zero_is_a_value(field);
	case NUMBER:
		return *(const double *)place != 0 || zero_is_a_value(field);
	case BOOLEAN:
		return true;
	case CURSOR:
		bug("a cursor (%s) is no argument of a job", field->name);
	default:
		return text_at(place) != NULL; /* or an object's pointer */
	}
}

/* --- checking --- */

/* One value, where PLACE is; SCRATCH takes what the check would store. */
static const char *check_value(
    const struct binder *binder, const struct field *field, const void *place, void *scratch)
{
	char digits[32];

	switch (field->kind) {
	case INTEGER:
		return bind_integer(binder, field, *(const long long *)place, scratch);
	case NUMBER:
		return bind_digits(binder, field, digits_at(place, digits), scratch);
	case BOOLEAN:
		return NULL;
	case OBJECT:
		return args_check(binder, field->of, *(const void *const *)place);
	default:
		return bind_from_text(binder, field, text_at(place), scratch);
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
		wrong = check_value(binder, field, list_item(list, i), scratch);
	return wrong;
}

const char *args_check(const struct binder *binder, const struct shape *shape, const void *args)
{
	void *scratch;

	if (shape == NULL)
		return NULL;
	scratch = arena_alloc(binder->arena, shape->size);
	EACH_FIELD (field, shape) {
		const char *wrong = NULL;

		if (is_there(field, args))
			wrong = is_list(field)
				    ? check_list(binder, field, member(field, args), scratch)
				    : check_value(binder, field, member(field, args), scratch);
		else if (field->required)
			wrong = "is missing";
		if (wrong != NULL)
			return arena_print(binder->arena, "%s %s", field->name, wrong);
	}
	return NULL;
}

/* --- writing --- */

static void write_value(struct buffer *out, const struct field *field, const void *place)
{
	const char *text;
	char digits[32];

	switch (field->kind) {
	case INTEGER:
		json_integer(out, *(const long long *)place);
		break;
	case NUMBER:
		text = digits_at(place, digits);
		json_raw(out, text, strlen(text));
		break;
	case BOOLEAN:
		json_boolean(out, *(const bool *)place);
		break;
	case MONEY:
		json_raw(out, text_at(place), strlen(text_at(place)));
		break;
	case OBJECT:
		args_write(out, field->of, *(const void *const *)place);
		break;
	default:
		json_text(out, text_at(place));
	}
}

static void write_member(struct buffer *out, const struct field *field, const void *args)
{
	const struct list *list = member(field, args);

	json_key(out, field->name);
	if (!is_list(field)) {
		write_value(out, field, member(field, args));
		return;
	}
	json_open(out, '[');
	for (size_t i = 0; i < list->count; i++)
		write_value(out, field, list_item(list, i));
	json_close(out, ']');
}

void args_write(struct buffer *out, const struct shape *shape, const void *args)
{
	json_open(out, '{');
	if (shape != NULL)
		EACH_FIELD (field, shape)
			if (is_there(field, args))
				write_member(out, field, args);
	json_close(out, '}');
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
			    is_there(field, args))
				write_member(&key, field, args);
	buffer_add(&key, "}", 2); /* with its NUL */
	return key.data;
}
