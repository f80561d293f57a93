/*
 * inputs.c - the stages bind and validate: path, query, form or JSON become the handler's struct.
 *
 * What stands in the path's {braces} comes from the path; the rest from the
 * query for GET and DELETE, from the body otherwise.
 */
#include <string.h>

#include "base/text.h"
#include "core/answer/problem.h"
#include "core/input/bind.h"
#include "core/input/faults.h"
#include "core/input/inputs.h"
#include "core/input/json_body.h"
#include "core/input/media.h"
#include "core/input/multipart_body.h"
#include "core/input/object.h"
#include "core/input/pairs.h"
#include "core/input/raw_body.h"
#include "core/journey/journey.h"

static const struct shape nothing = { .name = "struct nothing",
	.fields = (const struct field[]){ END } };

/* The uppermost struct, and where all but its path comes from. */
static struct target top_of(const struct request *rq)
{
	return (struct target){ .shape = object_bound(rq->input)->shape,
		.object = rq->input,
		.in = rq->method == GET || rq->method == DELETE ? IN_QUERY : IN_BODY };
}

/* --- the path --- */

static const struct field *field_of_path(const struct shape *shape, const char *name, size_t length)
{
	EACH_FIELD (field, shape)
		if (strncmp(field->name, name, length) == 0 && field->name[length] == '\0')
			return field;
	return NULL;
}

/* A value in the path that cannot be is a path that leads nowhere: false, a 404. */
static bool bind_path(struct request *rq)
{
	const struct binder binder = { rq->arena, rq->app->patterns };
	struct bound *bound = object_bound(rq->input);
	const char *name = rq->route->path;

	for (size_t i = 0; (name = strchr(name, '{')) != NULL; i++) {
		size_t length = strcspn(++name, "}");
		const struct field *field = field_of_path(bound->shape, name, length);

		if (field != NULL) {
			if (bind_from_text(&binder, field, rq->path_value[i], rq->input) != NULL)
				return false;
			bound->given |= UINT64_C(1) << (field - bound->shape->fields);
		} else if (!text_to_integer(rq->path_value[i], &rq->path_id)) {
			return false;
		}
	}
	return true;
}

/* --- the body --- */

/* Reads the whole body, NUL-terminated.  NULL when it is not as long as was said. */
static char *read_body(struct request *rq, size_t *length)
{
	long long said = 0;
	struct buffer body;
	size_t got;

	if (rq->head.content_length != NULL && !text_to_integer(rq->head.content_length, &said))
		return NULL;
	buffer_start(&body, rq->arena, (size_t)said + 1);
	while (body.length < (size_t)said &&
	       (got = rq->read_body(
		    rq->connection, body.data + body.length, (size_t)said - body.length)) > 0)
		body.length += got;
	if (body.length != (size_t)said)
		return NULL;
	*length = body.length;
	buffer_add_char(&body, '\0');
	return body.data;
}

static int bind_form(struct request *rq, char *body, size_t length)
{
	const struct target top = top_of(rq);
	const char *wrong;

	wrong = strlen(body) != length ? "has a NUL." : pairs_bind(rq, &top, body);
	return wrong != NULL ? reply_problem(rq, 400, "The form %s", wrong) : 0;
}

static int bind_json(struct request *rq, const char *body, size_t length)
{
	const char *wrong;

	if (length == 0)
		return reply_problem(rq, 400, "The body is empty; it must be a JSON object.");
	wrong = json_body_bind(rq, body, length);
	return wrong != NULL ? reply_problem(rq, 400, "%s", wrong) : 0;
}

static int bind_body(struct request *rq)
{
	const char *media = route_takes_media(rq->route);
	const struct target top = top_of(rq);
	size_t length;
	char *body;

	if (!media_is(rq->head.content_type, media))
		return reply_problem(rq, 415, "The body must be %s.", media);
	if (rq->route->raw != NULL)
		return raw_body_bind(rq, &top);
	if (route_takes_files(rq->route))
		return multipart_body_bind(rq, &top);
	body = read_body(rq, &length);
	if (body == NULL)
		return reply_problem(rq, 400, "The body is not as long as Content-Length says.");
	return rq->route->form ? bind_form(rq, body, length) : bind_json(rq, body, length);
}

/* What the query of a bulk route may say beside its body. */
struct how {
	bool partial;
};
static const struct shape how = SHAPE(
    struct how, { FIELD(struct how, partial), .preset = "false" });

static int bind_how(struct request *rq)
{
	struct how *asked = object_new(rq->arena, &how);
	const struct target target = { &how, asked, IN_QUERY, NULL };
	const char *wrong = rq->query != NULL && rq->route->partial
				? pairs_bind(rq, &target, rq->query)
				: NULL;

	rq->is_partial = asked->partial;
	return wrong != NULL ? reply_problem(rq, 400, "The query %s", wrong) : 0;
}

/* After all values: a bulk route's handler gets a list whichever of the two was sent. */
static void complete(struct request *rq)
{
	const struct target top = top_of(rq);

	if (!rq->is_bulk) {
		object_fill(rq, &top);
		rq->inputs = (struct list){ .items = rq->input, .count = 1 };
	} else if (rq->inputs.count > 0) {
		rq->input = (void *)(uintptr_t)rq->inputs.items;
	}
}

static bool is_in_query(const struct request *rq)
{
	return rq->method == GET || rq->method == DELETE;
}

static void bind_query(struct request *rq)
{
	const struct target top = top_of(rq);
	const char *wrong = rq->query != NULL ? pairs_bind(rq, &top, rq->query) : NULL;

	if (wrong != NULL)
		reply_problem(rq, 400, "The query %s", wrong);
	else
		complete(rq);
}

/* What is wrong here is told by the stages behind, when the front has let the request in. */
int stage_bind(struct request *rq)
{
	rq->input = object_new(rq->arena, rq->route->takes != NULL ? rq->route->takes : &nothing);
	if (!bind_path(rq))
		reply_missing(rq);
	else if (is_in_query(rq))
		bind_query(rq);
	return 0;
}

int stage_validate(struct request *rq)
{
	if (!is_in_query(rq)) {
		int answered = bind_how(rq);

		if (answered == 0 && route_takes_body(rq->route))
			answered = bind_body(rq);
		if (answered != 0)
			return answered;
		complete(rq);
	}
	if (rq->is_partial && rq->is_bulk && rq->inputs.count > 0)
		return 0;
	return rq->faults.count > 0 ? reply_problem(rq, 422, "What was sent has errors.") : 0;
}

const char *inputs_take(struct request *rq, const char *json, size_t length)
{
	const char *wrong;

	rq->input = object_new(rq->arena, rq->route->takes != NULL ? rq->route->takes : &nothing);
	wrong = json_body_bind(rq, json, length);
	if (wrong == NULL)
		complete(rq);
	return wrong;
}
