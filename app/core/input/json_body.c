/*
 * json_body.c - a JSON object, or a list of them, bound to a shape.
 *
 * Jansson parses, because it rejects duplicate keys, NULs and broken UTF-8 and
 * is kept well.  Its tree lives only inside this file: the values go into the
 * input's struct, and the tree is gone before the handler runs.
 */
#include "core/input/json_body.h"

#include <jansson.h>

#include "core/input/bind.h"
#include "core/input/faults.h"
#include "core/input/json_numbers.h"
#include "core/input/object.h"

/* What goes down the tree with every value. */
struct walk {
	struct request *rq;
	struct binder binder;
	struct json_numbers numbers;
};

/* Of an item that is left out so many faults are told. */
#define FAULTS_OF_ITEM 5

static void bind_object(struct walk *, const json_t *, const struct target *);

void json_body_init(void)
{
	/* Seeds the hash of objects: a client that could guess it could slow us down. */
	json_object_seed(0);
}

static const char *bind_scalar(
    const struct walk *walk, const struct field *field, const json_t *value, void *into)
{
	const struct binder *binder = &walk->binder;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return bind_text(
		    binder, field, json_string_value(value), json_string_length(value), into);
	case JSON_INTEGER:
		return bind_integer(binder, field, json_integer_value(value), into);
	case JSON_REAL:
		return bind_digits(binder, field,
		    json_numbers_digits(&walk->numbers, json_real_value(value)), into);
	case JSON_TRUE:
	case JSON_FALSE:
		return bind_boolean(field, json_is_true(value), into);
	default:
		return bind_expectation(field);
	}
}

/* One value, no list and not null: into the member of TARGET, which AT names. */
static void bind_one(struct walk *walk, const struct field *field, const json_t *value,
    const struct target *target, const struct step *at)
{
	const char *wrong = NULL;

	if (field->kind == OBJECT && json_is_object(value)) {
		void *object = object_new(walk->rq->arena, field->of);

		*(const void **)((char *)target->object + field->offset) = object;
		bind_object(walk, value, &(struct target){ field->of, object, IN_BODY, at });
		return;
	}
	wrong = bind_scalar(walk, field, value, target->object);
	if (wrong != NULL)
		fault_add(walk->rq, IN_BODY, at, wrong);
}

/* The items of a list that has room for them. */
static void bind_items(struct walk *walk, const struct field *field, const json_t *array,
    struct list *list, const struct step *at)
{
	const struct field one = list_item_field(field);

	for (size_t i = 0; i < json_array_size(array) && !faults_suffice(walk->rq); i++) {
		const json_t *value = json_array_get(array, i);
		const struct step step = { at, NULL, i };
		struct target item = { field->of, (void *)(uintptr_t)list_item(list, i), IN_BODY,
			&step };

		if (field->kind == OBJECT && json_is_object(value))
			bind_object(walk, value, &item);
		else
			bind_one(walk, &one, value, &item, &step);
	}
}

static void bind_list(struct walk *walk, const struct field *field, const json_t *value,
    const struct target *target, const struct step *at)
{
	struct list *list = list_of(target, field);
	size_t count = json_array_size(value);

	if (!json_is_array(value)) {
		fault_add(walk->rq, IN_BODY, at, "must be a list");
		return;
	}
	if (!list_fits(walk->rq, target, field, count))
		return;
	list_resize(walk->rq->arena, list, field, count);
	list->count = count;
	bind_items(walk, field, value, list, at);
}

static void bind_object(struct walk *walk, const json_t *object, const struct target *target)
{
	const char *name;
	json_t *value;

	/* The macro of jansson takes no const, and changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		const struct step at = { target->at, name, 0 };
		const struct field *field = object_claim(walk->rq, target, name);

		if (field == NULL)
			continue;
		if (field->nullable && json_is_null(value))
			object_set_null(target, field);
		else if (field->many > 0)
			bind_list(walk, field, value, target, &at);
		else
			bind_one(walk, field, value, target, &at);
	}
	/* What the path and presets say of the uppermost comes in when all of it is known. */
	if (target->at != NULL)
		object_fill(walk->rq, target);
}

/* --- the whole body --- */

/*
 * One by one, so that it is known which are well: those move up into the places of the others.
 * Of a wrong one a few faults are enough, but each is told of.
 */
static void bind_partial(struct walk *walk, const struct field *field, const json_t *array)
{
	struct request *rq = walk->rq;
	struct list *list = &rq->inputs;
	size_t well = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		const struct step step = { NULL, NULL, i };
		const json_t *value = json_array_get(array, i);
		int before = rq->faults.count;
		void *item = object_new(rq->arena, field->of);

		rq->faults.most = before + FAULTS_OF_ITEM;
		if (json_is_object(value))
			bind_object(
			    walk, value, &(struct target){ field->of, item, IN_BODY, &step });
		else
			fault_add(rq, IN_BODY, &step, bind_expectation(field));
		/* What was found and not told must not be in the way of the next item's. */
		if (rq->faults.count > rq->faults.most)
			rq->faults.count = rq->faults.most;
		if (rq->faults.count == before)
			list_put(list, well++, item);
	}
	list->count = well;
}

static void bind_bulk(struct walk *walk, const json_t *array)
{
	struct request *rq = walk->rq;
	struct field *field = arena_alloc(rq->arena, sizeof(*field));
	const struct target whole = { NULL, &rq->inputs, IN_BODY, NULL };

	*field = (struct field){
		.kind = OBJECT, .of = rq->route->takes, .least = 1, .many = rq->route->bulk
	};
	rq->is_bulk = true;
	if (json_array_size(array) < 1 || json_array_size(array) > (size_t)field->many) {
		fault_add(rq, IN_BODY, NULL,
		    arena_print(rq->arena, "must have 1 to %lld items", field->many));
		return;
	}
	list_resize(rq->arena, &rq->inputs, field, json_array_size(array));
	if (rq->is_partial) {
		bind_partial(walk, field, array);
		return;
	}
	rq->inputs.count = json_array_size(array);
	bind_items(walk, field, array, list_of(&whole, field), NULL);
}

static const char *bind_whole(struct walk *walk, const json_t *json)
{
	struct request *rq = walk->rq;
	const struct target top = { rq->route->takes, rq->input, IN_BODY, NULL };

	if (json_is_array(json) && rq->route->bulk > 0)
		bind_bulk(walk, json);
	else if (json_is_object(json))
		bind_object(walk, json, &top);
	else
		return rq->route->bulk > 0 ? "The body must be a JSON object, or a list of them."
					   : "The body must be a JSON object.";
	return NULL;
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

static json_t *parse(const char *text, size_t length, json_error_t *error)
{
	return json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, error);
}

const char *json_body_bind(struct request *rq, const char *text, size_t length)
{
	struct walk walk = { .rq = rq, .binder = { rq->arena, rq->app->patterns } };
	json_error_t error;
	const char *wrong;
	json_t *json;

	if (!json_numbers_set_aside(&walk.numbers, rq->arena, text, length))
		return "The body is nested too deeply.";
	json = parse(walk.numbers.text, walk.numbers.length, &error);
	if (json == NULL) {
		json_error_t original;

		/* Columns are those of what was sent, unless a number there is too large to parse.
		 */
		if (walk.numbers.count > 0 && parse(text, length, &original) == NULL &&
		    json_error_code(&original) != json_error_numeric_overflow)
			error = original;
		return explain(rq->arena, &error);
	}
	wrong = bind_whole(&walk, json);
	json_decref(json);
	return wrong;
}
