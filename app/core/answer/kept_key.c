/* kept_key.c - keys of the cache, filled in from what was asked. */
#include "core/answer/kept_key.h"

#include "base/log.h"
#include "base/text.h"
#include "core/input/object.h"

#define WHO_ASKS "user" /* KEPT_USER without its braces */

static bool is_named(const char *text, const char *name, size_t length)
{
	return strlen(name) == length && memcmp(text, name, length) == 0;
}

static const struct field *field_named(const struct route *route, const char *name, size_t length)
{
	if (route->takes == NULL)
		return NULL;
	EACH_FIELD (field, route->takes)
		if (is_named(name, field->name, length))
			return field;
	return NULL;
}

/* Whether TEMPLATE has {NAME}; so have a route's path and its keys. */
static bool has_name(const char *template, const char *name, size_t length)
{
	while ((template = strchr(template, '{')) != NULL) {
		size_t found = strcspn(++template, "}");

		if (found == length && memcmp(template, name, length) == 0)
			return true;
	}
	return false;
}

static void add_value(struct buffer *key, const struct request *rq, const struct field *field)
{
	const void *place = (const char *)rq->input + field->offset;
	const char *text;

	switch (field->kind) {
	case INTEGER:
		buffer_add_integer(key, *(const long long *)place);
		return;
	case BOOLEAN:
		buffer_add_text(key, *(const bool *)place ? "true" : "false");
		return;
	default:
		text = *(const char *const *)place;
		buffer_add_text(key, text != NULL ? text : "");
	}
}

/* A name in the path that no field takes is the number that path_id() gives. */
static void add_name(struct buffer *key, const struct request *rq, const char *name, size_t length)
{
	const struct field *field = field_named(rq->route, name, length);

	if (is_named(name, WHO_ASKS, length))
		buffer_add_integer(key, rq->user_id);
	else if (field != NULL)
		add_value(key, rq, field);
	else
		buffer_add_integer(key, rq->path_id);
}

const char *kept_key(struct request *rq, const char *template)
{
	struct buffer key;

	if (strchr(template, '{') == NULL)
		return template;
	buffer_start(&key, rq->arena, 64);
	while (*template != '\0') {
		size_t length = strcspn(template, "{");

		buffer_add(&key, template, length);
		template += length;
		if (*template == '\0')
			break;
		length = strcspn(++template, "}");
		add_name(&key, rq, template, length);
		template += length + 1;
	}
	buffer_add_char(&key, '\0');
	return key.data;
}

bool kept_key_names_all(const struct request *rq)
{
	const struct route *route = rq->route;
	uint64_t given = object_bound(rq->input)->given;

	if (given == 0)
		return true;
	EACH_FIELD (field, route->takes)
		if ((given >> (field - route->takes->fields) & 1) != 0 &&
		    !has_name(route->cached.key, field->name, strlen(field->name)))
			return false;
	return true;
}

/* --- what a route may say --- */

/* Kinds of which one value has one text; "1e0" and "1.0" would be two keys of one number. */
static bool has_one_text(enum kind kind)
{
	return kind == TEXT || kind == INTEGER || kind == BOOLEAN || kind == DATE ||
	       kind == MONTH || kind == UUID || kind == MONEY;
}

static void check_names(const struct route *route, const char *template)
{
	const char *name = template;

	while ((name = strchr(name, '{')) != NULL) {
		size_t length = strcspn(++name, "}");
		const struct field *field = field_named(route, name, length);
		bool known = field != NULL ? field->many == 0 && has_one_text(field->kind)
					   : is_named(name, WHO_ASKS, length) ||
						 has_name(route->path, name, length);

		if (name[length] != '}' || !known)
			bug("%s cannot have the key %s", route->path, template);
		if (is_named(name, WHO_ASKS, length) && route->access == ANYONE)
			bug("nobody is {user} in %s", route->path);
		if (is_named(name, WHO_ASKS, length) && strstr(name, KEPT_USER) != NULL)
			bug("%s has {user} twice in the key %s", route->path, template);
	}
}

void kept_key_check(const struct route *route)
{
	const char *name = route->path;

	for (const char *const *drop = route->drops; drop != NULL && *drop != NULL; drop++)
		check_names(route, *drop);
	if (route->cached.key == NULL)
		return;
	check_names(route, route->cached.key);
	if (route->method != GET)
		bug("%s is kept, and is no GET", route->path);
	while ((name = strchr(name, '{')) != NULL) {
		size_t length = strcspn(++name, "}");

		if (!has_name(route->cached.key, name, length))
			bug("the key of %s is the same for all its paths", route->path);
	}
}
