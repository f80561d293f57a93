/*
 * inputs.c - the validate stage: path, query, form or JSON become the handler's struct.
 *
 * What stands in the path's {braces} comes from the path; the rest from the
 * query for GET and DELETE, from the body otherwise.
 */
#include "core/input/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "core/answer/problem.h"
#include "core/input/bind.h"
#include "core/input/faults.h"
#include "core/input/json_body.h"
#include "core/input/percent.h"
#include "core/journey/journey.h"

static const struct shape nothing = { .name = "struct nothing",
	.fields = (const struct field[]){ END } };

static const struct shape *taken(const struct request *rq)
{
	return rq->route->takes != NULL ? rq->route->takes : &nothing;
}

static uint64_t bit_of(const struct request *rq, const struct field *field)
{
	return UINT64_C(1) << (field - rq->route->takes->fields);
}

static const struct field *find_field(const struct request *rq, const char *name)
{
	EACH_FIELD (field, taken(rq))
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

static void complain_of_unknown(struct request *rq, const char *in, const char *name)
{
	const char *names[SHAPE_FIELDS_MOST + 1] = { NULL };
	const char *hint;
	size_t count = 0;

	EACH_FIELD (field, taken(rq))
		names[count++] = field->name;
	hint = text_closest(name, names);
	fault_add(rq, in, name,
	    hint != NULL ? arena_print(rq->arena, "is unknown; did you mean \"%s\"?", hint)
			 : "is unknown");
}

const struct field *inputs_claim(struct request *rq, const char *in, const char *name)
{
	const struct field *field = find_field(rq, name);

	if (field == NULL || request_path_value(rq, name) != NULL) {
		complain_of_unknown(rq, in, name);
		return NULL;
	}
	if (rq->given & bit_of(rq, field)) {
		fault_add(rq, in, name, "is given twice");
		return NULL;
	}
	rq->given |= bit_of(rq, field);
	return field;
}

/* --- where inputs come from --- */

/* A value in the path that cannot be is a path that leads nowhere: false, a 404. */
static bool bind_path(struct request *rq)
{
	const char *name = rq->route->path;

	for (size_t i = 0; (name = strchr(name, '{')) != NULL; i++) {
		size_t length = strcspn(++name, "}");
		const char *copy = arena_copy(rq->arena, name, length);
		const struct field *field = find_field(rq, copy);

		if (field != NULL) {
			if (bind_from_text(rq->arena, field, rq->path_value[i], rq->input) != NULL)
				return false;
			rq->given |= bit_of(rq, field);
		} else if (!text_to_integer(rq->path_value[i], &rq->path_id)) {
			return false;
		}
	}
	return true;
}

static bool bind_pair(struct request *rq, const char *in, char *pair)
{
	char *equals = strchr(pair, '=');
	const struct field *field;
	const char *wrong;

	if (equals != NULL)
		*equals = '\0';
	if (!percent_decode(pair, true) || (equals != NULL && !percent_decode(equals + 1, true)))
		return false;
	field = inputs_claim(rq, in, pair);
	if (field == NULL)
		return true;
	wrong = bind_from_text(rq->arena, field, equals != NULL ? equals + 1 : "", rq->input);
	if (wrong != NULL)
		fault_add(rq, in, field->name, wrong);
	return true;
}

/* Binds name=value&…, decoding in place.  False: it is not even that. */
static bool bind_pairs(struct request *rq, const char *in, char *pairs)
{
	char *rest = pairs, *pair;

	while ((pair = strsep(&rest, "&")) != NULL)
		if (*pair != '\0' && !bind_pair(rq, in, pair))
			return false;
	return true;
}

/* --- the body --- */

static bool has_media(const char *content_type, const char *media)
{
	size_t length = strlen(media);

	return content_type != NULL && strncasecmp(content_type, media, length) == 0 &&
	       strchr("; \t", content_type[length]) != NULL;
}

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

static int bind_body(struct request *rq)
{
	const char *media = rq->route->form ? "application/x-www-form-urlencoded"
					    : "application/json";
	const char *wrong;
	size_t length;
	char *body;

	if (!has_media(rq->head.content_type, media))
		return reply_problem(rq, 415, "The body must be %s.", media);
	body = read_body(rq, &length);
	if (body == NULL)
		return reply_problem(rq, 400, "The body is not as long as Content-Length says.");
	if (length == 0 && !rq->route->form)
		return reply_problem(rq, 400, "The body is empty; it must be a JSON object.");
	if (!rq->route->form) {
		wrong = json_body_bind(rq, body, length);
		return wrong != NULL ? reply_problem(rq, 400, "%s", wrong) : 0;
	}
	if (strlen(body) != length || !bind_pairs(rq, IN_BODY, body))
		return reply_problem(
		    rq, 400, "The form has a broken escape, a NUL or bytes that are no UTF-8.");
	return 0;
}

static int bind_rest(struct request *rq)
{
	bool from_query = rq->method == GET || rq->method == DELETE;

	if (!from_query)
		return rq->route->takes != NULL ? bind_body(rq) : 0;
	if (rq->query != NULL && !bind_pairs(rq, IN_QUERY, rq->query))
		return reply_problem(
		    rq, 400, "The query has a broken escape, a NUL or bytes that are no UTF-8.");
	return 0;
}

/* --- what was not given --- */

static void fill_missing(struct request *rq)
{
	const char *in = rq->method == GET || rq->method == DELETE ? IN_QUERY : IN_BODY;

	EACH_FIELD (field, taken(rq)) {
		if (rq->given & bit_of(rq, field))
			continue;
		if (field->required)
			fault_add(rq, in, field->name, "is missing");
		else if (field->preset != NULL)
			(void)bind_from_text(rq->arena, field, field->preset, rq->input);
	}
}

int stage_validate(struct request *rq)
{
	int answered;

	rq->input = arena_alloc(rq->arena, taken(rq)->size + 1);
	if (!bind_path(rq))
		return reply_missing(rq);
	answered = bind_rest(rq);
	if (answered != 0)
		return answered;
	fill_missing(rq);
	return rq->faults.count > 0 ? reply_problem(rq, 422, "What was sent has errors.") : 0;
}

/* --- for handlers --- */

const void *input(struct request *rq)
{
	return rq->input;
}

bool given_any(struct request *rq)
{
	return rq->given != 0;
}

struct value given_value(struct request *rq, size_t offset)
{
	const struct field *field = rq->route->takes->fields;
	const void *place = (const char *)rq->input + offset;

	while (field->name != NULL && field->offset != offset)
		field++;
	if (field->name == NULL)
		return (struct value){ .kind = NOTHING };
	if ((rq->given & bit_of(rq, field)) == 0)
		return (struct value){ .kind = NOTHING };
	switch (field->kind) {
	case INTEGER:
		return value_integer(*(const long long *)place);
	case NUMBER:
		return value_number(*(const double *)place);
	case BOOLEAN:
		return value_boolean(*(const bool *)place);
	default:
		return value_text(*(const char *const *)place);
	}
}
