/* minimal_answers.c - E0 to E4, each answered as directly as can be. */
#include <jansson.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/text.h"
#include "t/bench/minimal.h"

#define PAGE 20

struct exchange {
	struct store *store;
	FCGX_Request *request;
	struct arena *arena;
	struct buffer body;
};

static void send_answer(struct exchange *x, const char *status, const char *more)
{
	struct buffer head;

	buffer_start(&head, x->arena, 256);
	buffer_add_text(&head, "Status: ");
	buffer_add_text(&head, status);
	buffer_add_text(&head, "\r\nContent-Type: application/json\r\nContent-Length: ");
	buffer_add_integer(&head, (long long)x->body.length);
	buffer_add_text(&head, "\r\n");
	buffer_add_text(&head, more);
	buffer_add_text(&head, "\r\n");
	FCGX_PutStr(head.data, (int)head.length, x->request->out);
	FCGX_PutStr(x->body.data, (int)x->body.length, x->request->out);
}

static void refuse(struct exchange *x, const char *status)
{
	x->body.length = 0;
	send_answer(x, status, "");
}

/* --- a task as JSON, straight from the columns of minimal_store.c --- */

enum column { ID, TITLE, DESCRIPTION, COMPLETED, VERSION, CREATED_AT, UPDATED_AT };

static void add_text(struct buffer *out, const char *text, size_t length)
{
	if (out->room - out->length < length * JSON_TEXT_GROWTH)
		buffer_make_room(out, length * JSON_TEXT_GROWTH);
	out->length += json_text_escape(out->data + out->length, text, length);
}

/* "2026-01-31 23:59:59.5+00" as RFC 3339. */
static void add_time(struct buffer *out, const char *sql, size_t length)
{
	buffer_add(out, sql, 10);
	buffer_add_char(out, 'T');
	buffer_add(out, sql + 11, length - 14);
	buffer_add_char(out, 'Z');
}

static void add_column(struct buffer *out, const PGresult *rows, int row, enum column column)
{
	buffer_add(out, PQgetvalue(rows, row, column), (size_t)PQgetlength(rows, row, column));
}

static void add_task(struct buffer *out, const PGresult *rows, int row)
{
	buffer_add_text(out, "{\"id\":");
	add_column(out, rows, row, ID);
	buffer_add_text(out, ",\"title\":\"");
	add_text(out, PQgetvalue(rows, row, TITLE), (size_t)PQgetlength(rows, row, TITLE));
	buffer_add_text(out, "\",\"description\":\"");
	add_text(
	    out, PQgetvalue(rows, row, DESCRIPTION), (size_t)PQgetlength(rows, row, DESCRIPTION));
	buffer_add_text(out, "\",\"completed\":");
	buffer_add_text(out, *PQgetvalue(rows, row, COMPLETED) == 't' ? "true" : "false");
	buffer_add_text(out, ",\"version\":");
	add_column(out, rows, row, VERSION);
	buffer_add_text(out, ",\"created_at\":\"");
	add_time(
	    out, PQgetvalue(rows, row, CREATED_AT), (size_t)PQgetlength(rows, row, CREATED_AT));
	buffer_add_text(out, "\",\"updated_at\":\"");
	add_time(
	    out, PQgetvalue(rows, row, UPDATED_AT), (size_t)PQgetlength(rows, row, UPDATED_AT));
	buffer_add_text(out, "\"}");
}

/* Runs a prepared statement; NULL after answering that it failed. */
static PGresult *run(
    struct exchange *x, PGconn *pg, const char *name, int count, const char *const *values)
{
	PGresult *rows = PQexecPrepared(pg, name, count, values, NULL, NULL, 0);

	if (PQresultStatus(rows) == PGRES_TUPLES_OK)
		return rows;
	log_error("PostgreSQL: %s", PQerrorMessage(pg));
	PQclear(rows);
	refuse(x, "500 Internal Server Error");
	return NULL;
}

/* --- E0: the process alone --- */

static void answer_ping(struct exchange *x)
{
	buffer_add_text(&x->body, "{\"ok\":true}");
	send_answer(x, "200 OK", "");
}

/* --- E1: one value out of Redis --- */

static void answer_report(struct exchange *x)
{
	struct lane *lane = store_take(x->store);
	redisReply *reply = redisCommand(lane->redis, "GET bench:minimal");

	store_give_back(x->store, lane);
	if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len < 1) {
		refuse(x, "404 Not Found");
	} else {
		buffer_add(&x->body, reply->str, (size_t)reply->len);
		send_answer(x, "200 OK", "");
	}
	freeReplyObject(reply);
}

/* --- E2: one row --- */

static void answer_task(struct exchange *x, const char *id)
{
	const char *const values[] = { id, store_user(x->store) };
	struct lane *lane = store_take(x->store);
	PGresult *rows = run(x, lane->pg, READ_TASK, 2, values);

	store_give_back(x->store, lane);
	if (rows == NULL)
		return;
	if (PQntuples(rows) == 1) {
		add_task(&x->body, rows, 0);
		send_answer(x, "200 OK", "");
	} else {
		refuse(x, "404 Not Found");
	}
	PQclear(rows);
}

/* --- E3: the newest page of a list --- */

/* "time/id" of the last task shown, in the URL's alphabet of RFC 4648. */
static void add_cursor(struct buffer *out, struct arena *arena, const PGresult *rows, int row)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0, count = 0;
	struct buffer plain;

	buffer_start(&plain, arena, 64);
	add_time(
	    &plain, PQgetvalue(rows, row, CREATED_AT), (size_t)PQgetlength(rows, row, CREATED_AT));
	buffer_add_char(&plain, '/');
	add_column(&plain, rows, row, ID);
	for (size_t i = 0; i < plain.length; i++) {
		bits = bits << 8 | (unsigned char)plain.data[i];
		for (count += 8; count >= 6; count -= 6)
			buffer_add_char(out, alphabet[bits >> (count - 6) & 63]);
	}
	if (count > 0)
		buffer_add_char(out, alphabet[bits << (6 - count) & 63]);
}

static void add_page(struct exchange *x, const PGresult *rows)
{
	int count = PQntuples(rows);
	struct buffer *out = &x->body;

	buffer_add_text(out, "{\"items\":[");
	for (int row = 0; row < count && row < PAGE; row++) {
		if (row > 0)
			buffer_add_char(out, ',');
		add_task(out, rows, row);
	}
	buffer_add_text(out, "],\"next\":");
	if (count > PAGE) {
		buffer_add_char(out, '"');
		add_cursor(out, x->arena, rows, PAGE - 1);
		buffer_add_text(out, "\"}");
	} else {
		buffer_add_text(out, "null}");
	}
}

static void answer_list(struct exchange *x)
{
	const char *const values[] = { store_user(x->store), NULL, "0", "f", "20" };
	struct lane *lane = store_take(x->store);
	PGresult *rows = run(x, lane->pg, LIST_TASKS, 5, values);

	store_give_back(x->store, lane);
	if (rows == NULL)
		return;
	add_page(x, rows);
	send_answer(x, "200 OK", "");
	PQclear(rows);
}

/* --- E4: a row more --- */

/* Inserts, then drops the cached list, as a write does in ostler-app. */
static PGresult *insert(struct exchange *x, const char *title, const char *description)
{
	const char *const values[] = { store_user(x->store), title, description, "f" };
	struct lane *lane = store_take(x->store);
	PGresult *rows = run(x, lane->pg, INSERT_TASK, 4, values);

	freeReplyObject(redisCommand(lane->redis, "DEL tasks:user:%s", store_user(x->store)));
	store_give_back(x->store, lane);
	return rows;
}

static void answer_new_task(struct exchange *x)
{
	char body[4096];
	int length = FCGX_GetStr(body, sizeof(body), x->request->in);
	json_t *json = json_loadb(body, (size_t)length, 0, NULL);
	const char *title = json_string_value(json_object_get(json, "title"));
	const char *description = json_string_value(json_object_get(json, "description"));
	long points = title != NULL ? text_code_points(title, strlen(title)) : 0;
	PGresult *rows = NULL;

	if (points < 1 || points > 200)
		refuse(x, "422 Unprocessable Content");
	else
		rows = insert(x, title, description != NULL ? description : "");
	json_decref(json);
	if (rows == NULL)
		return;
	add_task(&x->body, rows, 0);
	send_answer(x, "201 Created",
	    arena_print(x->arena, "Location: /api/tasks/%s\r\n", PQgetvalue(rows, 0, ID)));
	PQclear(rows);
}

void minimal_answer(struct store *store, FCGX_Request *request, struct arena *arena)
{
	struct exchange x = { .store = store, .request = request, .arena = arena };
	const char *method = FCGX_GetParam("REQUEST_METHOD", request->envp);
	const char *uri = FCGX_GetParam("REQUEST_URI", request->envp);

	buffer_start(&x.body, arena, 8 << 10);
	if (method == NULL || uri == NULL)
		refuse(&x, "400 Bad Request");
	else if (strcmp(uri, "/ping") == 0)
		answer_ping(&x);
	else if (strcmp(uri, "/bench/report") == 0 || strcmp(uri, "/bench/mine") == 0)
		answer_report(&x);
	else if (strcmp(uri, "/api/tasks?completed=false") == 0)
		answer_list(&x);
	else if (strcmp(uri, "/api/tasks") == 0 && strcmp(method, "POST") == 0)
		answer_new_task(&x);
	else if (text_starts(uri, "/api/tasks/"))
		answer_task(&x, uri + strlen("/api/tasks/"));
	else
		refuse(&x, "404 Not Found");
}
