/*
 * reply.c - the answers a handler can give.
 *
 * Each looks first whether a statement of this request has failed, so that no
 * handler has to: whatever it then wanted to say, the answer is the problem.
 */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/answer/json.h"
#include "core/answer/problem.h"
#include "core/answer/record.h"
#include "core/answer/serialize.h"
#include "core/input/cursor.h"
#include "core/input/formats.h"
#include "core/input/instant.h"

static int answer(struct request *rq, int status, const char *media)
{
	rq->response.status = status;
	rq->response.media = media;
	return status;
}

/* The text of the first row's column NAME; NULL when the statement has none. */
static const char *column_text(const struct rows *rows, int row, const char *name)
{
	for (int i = 0; i < rows->columns; i++)
		if (strcmp(rows_column(rows, i), name) == 0)
			return rows_text(rows, row, i);
	return NULL;
}

/* The same of a column that the kind of answer needs. */
static const char *needed_text(const struct rows *rows, int row, const char *name)
{
	const char *text = column_text(rows, row, name);

	if (text == NULL)
		bug("an answer of this kind needs the column %s", name);
	return text;
}

static void set_etag(struct request *rq, const struct rows *rows)
{
	const char *version = column_text(rows, 0, "version");

	if (version != NULL)
		rq->response.etag = arena_print(rq->arena, "\"%s\"", version);
}

static int row_with_status(
    struct request *rq, const struct shape *shape, const struct rows *rows, int status)
{
	struct columns columns;

	if (rq->failure != DONE)
		return problem_of_failure(rq);
	if (rows->count == 0)
		return reply_missing(rq);
	serialize_match(&columns, rq->arena, shape, rows);
	serialize_row(&rq->response.body, &columns, rows, 0);
	set_etag(rq, rows);
	return answer(rq, status, "application/json");
}

int reply_row(struct request *rq, const struct rows *rows)
{
	return row_with_status(rq, rq->route->gives, rows, 200);
}

int reply_row_as(struct request *rq, const struct shape *shape, const struct rows *rows)
{
	return row_with_status(rq, shape, rows, 200);
}

int reply_accepted(struct request *rq, const struct rows *rows)
{
	return row_with_status(rq, rq->route->gives, rows, 202);
}

int reply_created(struct request *rq, const struct rows *rows)
{
	int status = row_with_status(rq, rq->route->gives, rows, 201);

	if (status == 201)
		reply_header(rq, "Location",
		    arena_print(rq->arena, "%s/%s", rq->route->path, needed_text(rows, 0, "id")));
	return status;
}

/* The cursor behind row LAST: the page after this one begins there. */
static const char *next_cursor(struct request *rq, const struct rows *rows, int last)
{
	const char *created_at = needed_text(rows, last, "created_at");
	struct cursor cursor;
	struct buffer time;

	buffer_start(&time, rq->arena, 40);
	instant_add(&time, created_at, strlen(created_at));
	buffer_add_char(&time, '\0');
	cursor = (struct cursor){ .time = time.data };
	if (uuid_is_valid(needed_text(rows, last, "id")))
		cursor.uuid = needed_text(rows, last, "id");
	else if (!text_to_integer(needed_text(rows, last, "id"), &cursor.id))
		bug("the id of a list's row is neither a number nor a UUID");
	return cursor_encode(rq->arena, &cursor);
}

int reply_list(struct request *rq, const struct rows *rows, long long limit)
{
	struct buffer *out = &rq->response.body;
	int shown = rows->count;
	struct columns columns;

	if (rq->failure != DONE)
		return problem_of_failure(rq);
	if (shown > limit) {
		shown = (int)limit;
		rq->response.next = next_cursor(rq, rows, shown - 1);
	}
	serialize_match(&columns, rq->arena, rq->route->gives, rows);
	if (columns.spans_rows)
		bug("an item of a list is one row: a list in it must be a column of type json");
	json_open(out, '{');
	json_key(out, "items");
	json_open(out, '[');
	for (int row = 0; row < shown; row++)
		serialize_row(out, &columns, rows, row);
	json_close(out, ']');
	json_key(out, "next");
	json_text(out, rq->response.next);
	json_close(out, '}');
	return answer(rq, 200, "application/json");
}

void reply_location(struct request *rq, const char *path)
{
	reply_header(rq, "Location", path);
}

void reply_challenge(struct request *rq, const char *challenge)
{
	reply_header(rq, "WWW-Authenticate", challenge);
}

void reply_retry_after(struct request *rq, int seconds)
{
	reply_header(rq, "Retry-After", arena_print(rq->arena, "%d", seconds));
}

int reply_done(struct request *rq, const struct rows *rows)
{
	if (rq->failure != DONE)
		return problem_of_failure(rq);
	if (rows != NULL && rows->count == 0)
		return reply_missing(rq);
	return answer(rq, 204, NULL);
}

int reply_see_other(struct request *rq, const struct rows *rows, const char *path)
{
	int status = reply_done(rq, rows);

	if (status != 204)
		return status;
	reply_header(rq, "Location", path);
	rq->response.body.length = 0; /* whatever was said before */
	return answer(rq, 303, NULL);
}

int reply_struct(struct request *rq, const void *record)
{
	return reply_struct_as(rq, route_success(rq->route), record);
}

int reply_struct_as(struct request *rq, int status, const void *record)
{
	if (rq->failure != DONE)
		return problem_of_failure(rq);
	record_write(&rq->response.body, rq->route->gives, record);
	return answer(rq, status, "application/json");
}

int reply_json(struct request *rq, int status, const char *json, size_t length)
{
	if (rq->failure != DONE)
		return problem_of_failure(rq);
	buffer_add(&rq->response.body, json, length);
	return answer(rq, status, "application/json");
}
