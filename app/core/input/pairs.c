/* pairs.c - name=value&…, of a query or a urlencoded form, bound to a shape. */
#include "core/input/pairs.h"

#include <string.h>

#include "core/input/bind.h"
#include "core/input/percent.h"

/* More than any shape with all its lists has use for; each costs a search by name. */
#define PAIRS_MOST 1000

static bool is_power_of_two(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* Room for one more item: the list doubles when it is full, at 1, 2, 4, … items. */
static void *append(struct request *rq, struct list *list, const struct field *field)
{
	if (list->count == 0 || is_power_of_two(list->count))
		list_resize(rq->arena, list, field, list->count * 2 + (list->count == 0));
	return (void *)(uintptr_t)list_item(list, list->count++);
}

static void bind_item(
    struct request *rq, const struct target *target, const struct field *field, const char *text)
{
	const struct binder binder = { rq->arena, rq->app->patterns };
	const struct field one = list_item_field(field);
	struct list *list = list_of(target, field);
	const struct step of_list = { target->at, field->name, 0 };
	const struct step at = { &of_list, NULL, list->count };
	const char *wrong;

	wrong = bind_from_text(&binder, &one, text, append(rq, list, field));
	if (wrong != NULL)
		fault_add(rq, target->in, &at, wrong);
}

void pairs_bind_text(
    struct request *rq, const struct target *target, const struct field *field, const char *text)
{
	const struct binder binder = { rq->arena, rq->app->patterns };
	const char *wrong;

	if (field->many > 0) {
		bind_item(rq, target, field, text);
		return;
	}
	wrong = bind_from_text(&binder, field, text, target->object);
	if (wrong != NULL)
		fault_add(rq, target->in, &(struct step){ target->at, field->name, 0 }, wrong);
}

void pairs_end(struct request *rq, const struct target *target)
{
	EACH_FIELD (field, target->shape) {
		size_t count = field->many > 0 ? list_of(target, field)->count : 0;

		/* One that was not given has none; object_fill says so if it must be there. */
		if (count > 0)
			(void)list_fits(rq, target, field, count);
	}
}

static bool bind_pair(struct request *rq, const struct target *target, char *pair)
{
	char *equals = strchr(pair, '=');
	const struct field *field;

	if (equals != NULL)
		*equals = '\0';
	if (!percent_decode(pair, true) || (equals != NULL && !percent_decode(equals + 1, true)))
		return false;
	field = object_claim(rq, target, pair);
	if (field != NULL)
		pairs_bind_text(rq, target, field, equals != NULL ? equals + 1 : "");
	return true;
}

const char *pairs_bind(struct request *rq, const struct target *target, char *pairs)
{
	char *rest = pairs, *pair;
	int count = 0;

	while ((pair = strsep(&rest, "&")) != NULL) {
		if (*pair == '\0')
			continue;
		if (++count > PAIRS_MOST)
			return arena_print(rq->arena, "has more than %d values.", PAIRS_MOST);
		if (!bind_pair(rq, target, pair))
			return "has a broken escape, a NUL or bytes that are no UTF-8.";
	}
	pairs_end(rq, target);
	return NULL;
}
