/*
 * problem.c - errors as problem+json (RFC 9457).
 *
 * What the client did wrong is said in full, with a pointer to each place.  What
 * went wrong on our side is in the log under the request's id, not in the answer.
 */
#include "core/answer/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/answer/json.h"
#include "core/answer/status.h"
#include "core/input/faults.h"

void reply_header(struct request *rq, const char *name, const char *value)
{
	struct buffer *lines = &rq->response.lines;

	buffer_add_text(lines, name);
	buffer_add(lines, ": ", 2);
	buffer_add_text(lines, value);
	buffer_add(lines, "\r\n", 2);
}

static void write_faults(struct buffer *out, const struct faults *faults)
{
	json_key(out, "errors");
	json_open(out, '[');
	for (const struct fault *fault = faults->first; fault != NULL; fault = fault->next) {
		json_open(out, '{');
		json_key_text(out, "pointer", fault->pointer);
		json_key_text(out, "in", fault->in);
		json_key_text(out, "detail", fault->detail);
		json_close(out, '}');
	}
	json_close(out, ']');
}

/* --- errors of OAuth --- */

/* RFC 6749, 5.2, knows few statuses, and one word for whatever is wrong with what was sent. */
static int oauth_status(int status)
{
	return status == 415 || status == 422 ? 400 : status;
}

static const char *oauth_error(int status, const char *code)
{
	if (code != NULL)
		return code;
	if (status == 429 || status == 503)
		return "temporarily_unavailable";
	return status >= 500 ? "server_error" : "invalid_request";
}

static bool is_oauth(const struct request *rq)
{
	return rq->route != NULL && rq->route->oauth;
}

/* --- all others --- */

static void write_problem(struct request *rq, int status, const char *code, const char *detail)
{
	struct buffer *out = &rq->response.body;

	out->length = 0;
	json_open(out, '{');
	json_key_text(out, "type", "about:blank");
	json_key_text(out, "title", status_reason(status));
	json_key(out, "status");
	json_number(out, status);
	json_key_text(out, "detail", detail);
	if (code != NULL)
		json_key_text(out, "code", code);
	/* Beside the members of any problem: clients pass over what they do not know. */
	if (is_oauth(rq)) {
		json_key_text(out, "error", oauth_error(status, code));
		json_key_text(out, "error_description", detail);
	}
	json_key_text(out, "request_id", rq->trace.request_id);
	json_key(out, "trace_id");
	json_bytes(out, rq->trace.parent + 3, 32);
	if (rq->faults.count > 0)
		write_faults(out, &rq->faults);
	json_close(out, '}');
}

/* When the breaker lets the next one ask: database_retry of ostler-app.conf(5). */
static void say_when_to_retry(struct request *rq)
{
	long long seconds = rq->app->retry_after_s;

	reply_header(rq, "Retry-After", arena_print(rq->arena, "%lld", seconds > 0 ? seconds : 1));
}

static int answer(
    struct request *rq, int status, const char *code, const char *detail, va_list values)
{
	char text[512];

	vsnprintf(text, sizeof(text), detail, values);
	if (is_oauth(rq))
		status = oauth_status(status);
	rq->response.status = status;
	rq->response.media = is_oauth(rq) ? "application/json" : "application/problem+json";
	rq->response.etag = NULL;
	write_problem(rq, status, code, text);
	if (status == 503)
		say_when_to_retry(rq);
	return status;
}

int reply_problem(struct request *rq, int status, const char *detail, ...)
{
	va_list values;

	va_start(values, detail);
	status = answer(rq, status, NULL, detail, values);
	va_end(values);
	return status;
}

int reply_refusal(struct request *rq, int status, const char *code, const char *detail, ...)
{
	va_list values;

	va_start(values, detail);
	status = answer(rq, status, code, detail, values);
	va_end(values);
	return status;
}

/* clang-format off */
struct taken {
	long long accepted;
	struct list errors;
};
struct item_fault {
	const char *pointer, *in, *detail;
};

static const struct shape item_fault = SHAPE(struct item_fault,
	{ FIELD(struct item_fault, pointer), .doc = "JSON pointer into the body: /1/quantity." },
	{ FIELD(struct item_fault, in) },
	{ FIELD(struct item_fault, detail) });

const struct shape taken_shape = SHAPE(struct taken,
	{ FIELD(struct taken, accepted), .doc = "So many will be applied, whatever happens from now on." });

const struct shape partly_taken_shape = SHAPE_NAMED("partly_taken", struct taken,
	{ FIELD(struct taken, accepted) },
	{ FIELD_AS(struct taken, errors, OBJECT), .of = &item_fault, .many = 10000,
	    .doc = "What is wrong with the others." });
/* clang-format on */

int reply_taken(struct request *rq, size_t accepted)
{
	struct buffer *out = &rq->response.body;

	json_open(out, '{');
	json_key(out, "accepted");
	json_number(out, (long long)accepted);
	if (rq->is_partial && rq->is_bulk)
		write_faults(out, &rq->faults);
	json_close(out, '}');
	rq->response.status = 202;
	rq->response.media = "application/json";
	return 202;
}

int reply_fault(struct request *rq, const char *name, const char *detail)
{
	bool from_query = rq->method == GET || rq->method == DELETE;

	fault_add(rq, from_query ? IN_QUERY : IN_BODY, &(struct step){ .name = name }, detail);
	return reply_problem(rq, 422, "What was sent has errors.");
}

int reply_missing(struct request *rq)
{
	return reply_problem(rq, 404, "There is nothing here.");
}

/*
 * Names the field whose unique constraint refused the statement, if its shape
 * knows one: the database's names say nothing to whoever filled in a form.
 */
static int problem_of_conflict(struct request *rq)
{
	if (rq->route->takes != NULL)
		EACH_FIELD (field, rq->route->takes)
			if (field->unique != NULL &&
			    strcmp(field->unique, rq->failed_constraint) == 0)
				fault_add(rq, IN_BODY, &(struct step){ .name = field->name },
				    "is taken already");
	if (rq->faults.count > 0)
		return reply_problem(rq, 409, "Something that was sent is taken already.");
	return reply_problem(
	    rq, 409, "This contradicts what is already there (%s).", rq->failed_constraint);
}

int problem_of_failure(struct request *rq)
{
	bool may_have_happened = (rq->failure == LOST || rq->failure == SILENT) &&
				 rq->method != GET;

	switch (rq->failure) {
	case CONFLICT:
		return problem_of_conflict(rq);
	case INVALID:
		return reply_problem(rq, 422, "The database does not take a value that was sent.");
	case BROKEN:
		return reply_problem(rq, 500, "Something is wrong on our side.");
	default:
		return reply_problem(rq, 503,
		    may_have_happened ? "The database stopped answering: the change may or may not "
					"have been made."
				      : "The database cannot be reached just now.");
	}
}
