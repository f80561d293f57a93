/*
 * audit.c - the record of who did what, and of what was refused.
 *
 * A deed's line is a statement of the deed's own transaction.  A refusal has none,
 * or one that is rolled back; its line waits in the request and is written by
 * itself when the last stage has spoken, before the answer leaves, so that nobody
 * was refused anything that is not on record.  The database being gone keeps nobody
 * from being refused: the line is in the log then, as an error.
 */
#include "core/audit/audit.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "core/answer/json.h"
#include "core/audit/repeats.h"

const char *const audit_names[] = {
	[AUDIT_SIGN_IN] = "sign_in",
	[AUDIT_SIGN_OUT] = "sign_out",
	[AUDIT_SESSIONS_ENDED] = "sessions_ended",
	[AUDIT_REGISTERED] = "registered",
	[AUDIT_USER_CREATED] = "user_created",
	[AUDIT_USER_DELETED] = "user_deleted",
	[AUDIT_ROLE_CHANGED] = "role_changed",
	[AUDIT_PASSWORD_CHANGED] = "password_changed",
	[AUDIT_ADDRESS_CHANGED] = "address_changed",
	[AUDIT_LINK_SENT] = "link_sent",
	[AUDIT_LINK_USED] = "link_used",
	[AUDIT_SECOND_FACTOR_ON] = "second_factor_on",
	[AUDIT_SECOND_FACTOR_OFF] = "second_factor_off",
	[AUDIT_RECOVERY_CODE_USED] = "recovery_code_used",
	[AUDIT_TOKEN_ISSUED] = "token_issued",
	[AUDIT_CLIENT_CREATED] = "client_created",
	[AUDIT_CLIENT_CHANGED] = "client_changed",
	[AUDIT_CLIENT_DELETED] = "client_deleted",
	[AUDIT_SIGN_IN_FAILED] = "sign_in_failed",
	[AUDIT_SIGN_IN_DELAYED] = "sign_in_delayed",
	[AUDIT_SECOND_FACTOR_FAILED] = "second_factor_failed",
	[AUDIT_SESSION_REFUSED] = "session_refused",
	[AUDIT_CROSS_SITE_REFUSED] = "cross_site_refused",
	[AUDIT_PASSWORD_REFUSED] = "password_refused",
	[AUDIT_LINK_REFUSED] = "link_refused",
	[AUDIT_TOKEN_REFUSED] = "token_refused",
	[AUDIT_TOKEN_REUSED] = "token_reused",
	[AUDIT_REQUEST_REFUSED] = "request_refused",
	[AUDIT_KINDS] = NULL,
};

/* In the order of the enum: first what was done, then what was refused. */
static bool is_refusal(enum audit_kind kind)
{
	return kind >= AUDIT_SIGN_IN_FAILED;
}

/* A refusal that waits for the request's last stage. */
struct audit_note {
	struct audit_line line;
	struct audit_note *next;
};

/* --- what is said of a request --- */

static struct audit_line completed(const struct request *rq, const struct audit_line *line)
{
	struct audit_line whole = *line;

	if (whole.actor_id == 0 && whole.actor == NULL)
		whole.actor_id = rq->user_id, whole.actor = rq->username;
	return whole;
}

#define INSERT                                                                                  \
	"INSERT INTO audit (kind, actor_id, actor, subject, address, trace_id, times, details)" \
	" VALUES ($1, nullif($2::bigint, 0),"                                                   \
	" coalesce($3, (SELECT username FROM users WHERE id = $2)), $4, $5::inet, $6, $7,"      \
	" $8::jsonb)"

static const char *trace_of(const struct request *rq)
{
	return arena_copy(rq->arena, rq->trace.parent + 3, 32);
}

void audit_add(struct request *rq, const struct audit_line *given_line)
{
	struct audit_line line = completed(rq, given_line);
	const char *name = audit_names[line.kind];
	const struct statement *insert;

	if (is_refusal(line.kind)) {
		struct audit_note *note = arena_alloc(rq->arena, sizeof(*note));

		*note = (struct audit_note){ line, rq->refusals };
		rq->refusals = note;
		return;
	}
	insert = STATEMENT(INSERT, name, line.actor_id, line.actor, line.subject,
	    network_address(rq->head.remote_address), trace_of(rq), 1, line.details);
	if (rq->transaction != NULL)
		query_later_run(rq, insert);
	else
		(void)query_run(rq, insert);
}

const char *audit_detail(struct request *rq, const char *name, const char *value)
{
	size_t length = strlen(value);
	char *clean = arena_alloc(rq->arena, TEXT_CLEAN_GROWTH * length + 1);
	struct buffer out;

	clean[text_clean(clean, value, length)] = '\0';
	buffer_start(&out, rq->arena, 2 * length + 64);
	json_open(&out, '{');
	json_key_text(&out, name, clean);
	json_close(&out, '}');
	buffer_add_char(&out, '\0');
	return out.data;
}

void audit_forget(struct request *rq, struct audit_note *before)
{
	rq->refusals = before;
}

/* --- refusals --- */

/* What could not be written into the table is at least in the log. */
static void log_line(const struct audit_line *line, const char *address, long long times)
{
	struct log_line out;

	log_begin(&out, LOG_ERROR, "a line of the audit could not be written");
	log_add_text(&out, "kind", audit_names[line->kind]);
	log_add_integer(&out, "actor_id", line->actor_id);
	if (line->actor != NULL)
		log_add_text(&out, "actor", line->actor);
	if (line->subject != NULL)
		log_add_text(&out, "subject", line->subject);
	if (address != NULL)
		log_add_text(&out, "address", address);
	log_add_integer(&out, "times", times);
	log_end(&out, STDERR_FILENO);
}

/* By itself, whatever has become of the request's own statements. */
static void write_refusal(struct request *rq, const struct audit_line *line)
{
	const char *address = network_address(rq->head.remote_address);
	struct rows *rows;

	if (rq->app->repeats != NULL &&
	    !repeats_admit(rq->app->repeats, line, address, clock_now()))
		return;
	rows = db_run(rq->app->db, rq->arena,
	    STATEMENT(INSERT, audit_names[line->kind], line->actor_id, line->actor, line->subject,
		address, trace_of(rq), 1, line->details));
	if (rows->fate != DONE)
		log_line(line, address, 1);
	rows_free(rows);
}

/* On a route where every refusal counts, one that nobody has spoken of. */
static void note_answer(struct request *rq)
{
	int status = rq->response.status;

	if (rq->route == NULL || !rq->route->guarded || rq->refusals != NULL || status < 400 ||
	    status >= 500)
		return;
	audit(rq, AUDIT_REQUEST_REFUSED,
	    .subject = arena_print(
		rq->arena, "%s %s", method_name(rq->route->method), rq->route->path),
	    .details = arena_print(rq->arena, "{\"status\":%d}", status));
}

void audit_settle(struct request *rq)
{
	int64_t asked;

	note_answer(rq);
	if (rq->refusals == NULL)
		return;
	asked = clock_now();
	for (struct audit_note *note = rq->refusals; note != NULL; note = note->next)
		write_refusal(rq, &note->line);
	rq->refusals = NULL;
	rq->db_us += clock_now() - asked;
}

/* --- what was counted --- */

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

void audit_write_counts(struct application *app, struct arena *arena, bool all)
{
	struct repeated counted;

	if (app->repeats == NULL)
		return;
	while (repeats_take(app->repeats, clock_now(), all, &counted)) {
		const struct audit_line line = { .kind = counted.kind,
			.actor_id = counted.actor_id,
			.actor = or_null(counted.actor),
			.subject = or_null(counted.subject) };
		struct rows *rows = db_run(app->db, arena,
		    STATEMENT(INSERT, audit_names[line.kind], line.actor_id, line.actor,
			line.subject, or_null(counted.address), (const char *)NULL, counted.times,
			(const char *)NULL));

		if (rows->fate != DONE)
			log_line(&line, or_null(counted.address), counted.times);
		rows_free(rows);
	}
}
