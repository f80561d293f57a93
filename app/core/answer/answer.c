/*
 * answer.c - the last stage, reply: what every answer has, whoever made it.
 *
 * The head is written here and nowhere else, after everything is known: whether
 * the client has this version already, whether there is a next page, how long
 * the body is.  Content-Length spares nginx chunked encoding.
 */
#include "core/answer/answer.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "core/answer/cors.h"
#include "core/answer/etag.h"
#include "core/answer/problem.h"
#include "core/answer/status.h"

static bool is_personal(const struct request *rq)
{
	return rq->route != NULL && rq->route->personal;
}

/* The conditions of a read (RFC 9110, 13.2.2); those of a change are condition.c's. */
static void answer_conditions(struct request *rq)
{
	const struct response *response = &rq->response;

	if (rq->method != GET || response->status != 200 || response->etag == NULL ||
	    is_personal(rq))
		return;
	if (rq->head.if_match != NULL && !etag_is_listed(rq->head.if_match, response->etag)) {
		reply_problem(rq, 412, "What is here has another ETag.");
		return;
	}
	if (rq->head.if_none_match == NULL ||
	    !etag_is_listed(rq->head.if_none_match, response->etag))
		return;
	rq->response.status = 304;
	rq->response.media = NULL;
	rq->response.body.length = 0;
}

/* --- Link (RFC 8288) --- */

static void add_uri_byte(struct buffer *out, char c)
{
	static const char plain[] = "-._~!$&'()*+,;=:@%/?";

	if (isalnum((unsigned char)c) || strchr(plain, c) != NULL)
		buffer_add_char(out, c);
	else
		buffer_print(out, "%%%02X", (unsigned char)c);
}

/* Adds each name=value of QUERY but "after"; returns the mark that goes before the next. */
static char add_other_pairs(struct buffer *link, const char *query)
{
	char mark = '?';

	while (*query != '\0') {
		size_t length = strcspn(query, "&");

		if (length > 0 && !text_starts(query, "after=")) {
			buffer_add_char(link, mark);
			for (size_t i = 0; i < length; i++)
				add_uri_byte(link, query[i]);
			mark = '&';
		}
		query += length + (query[length] == '&');
	}
	return mark;
}

/* The request's own URI with its "after" replaced: the next page of the same list. */
static void add_link(struct request *rq)
{
	const char *uri = rq->head.uri;
	struct buffer link;
	char mark;

	buffer_start(&link, rq->arena, 256);
	buffer_add_char(&link, '<');
	for (; *uri != '\0' && *uri != '?'; uri++)
		add_uri_byte(&link, *uri);
	mark = add_other_pairs(&link, *uri == '?' ? uri + 1 : uri);
	buffer_print(&link, "%cafter=%s>; rel=\"next\"%c", mark, rq->response.next, '\0');
	reply_header(rq, "Link", link.data);
}

/* --- the head --- */

static void add_line(struct buffer *head, const char *name, const char *value)
{
	buffer_add_text(head, name);
	buffer_add_text(head, value);
	buffer_add(head, "\r\n", 2);
}

static void add_status(struct buffer *head, int status)
{
	buffer_add(head, "Status: ", 8);
	buffer_add_integer(head, status);
	buffer_add_char(head, ' ');
	add_line(head, status_reason(status), "");
}

static void add_length(struct buffer *head, size_t length)
{
	buffer_add(head, "Content-Length: ", 16);
	buffer_add_integer(head, (long long)length);
	buffer_add(head, "\r\n", 2);
}

void answer_complete(struct request *rq)
{
	struct response *response = &rq->response;
	struct buffer *head = &response->head;

	answer_conditions(rq);
	if (response->next != NULL)
		add_link(rq);
	add_status(head, response->status);
	if (response->media != NULL)
		add_line(head, "Content-Type: ", response->media);
	/* A 304 or 204 has no body and says no length (RFC 9110, 8.6). */
	if (response->status != 304 && response->status != 204)
		add_length(head, response->body.length);
	if (response->etag != NULL)
		add_line(head, "ETag: ", response->etag);
	/* May be kept when it can be asked for again cheaply; never by anyone in between. */
	add_line(head, "Cache-Control: ",
	    response->etag != NULL && !is_personal(rq) ? "private, no-cache" : "no-store");
	if (rq->route != NULL && rq->route->csv)
		add_line(head, "Vary: ", "Accept");
	buffer_add(head, response->lines.data, response->lines.length);
	cors_add(rq, head);
	add_line(head, "X-Request-Id: ", rq->trace.request_id);
	add_line(head, "traceparent: ", rq->trace.parent);
	buffer_add(head, "\r\n", 2);
}
