/*
 * mail.c - the outbox: letters that wait in the database until a worker has sent them.
 *
 * Whoever has something to say to somebody writes a row and enqueues its id, both
 * within the transaction of what it is about.  When the letter has left, its text is
 * deleted in the transaction that says so: it may hold a link that signs somebody
 * in.  A worker that dies in between sends it once more, under the same Message-ID.
 */
#include "core/core.h"
#include "store/mail.h"

struct letter_id {
	long long id;
};

/* clang-format off */
static const struct shape letter_id = SHAPE(struct letter_id,
	{ FIELD(struct letter_id, id), .required = true });
/* clang-format on */

/* How long it is known that one has left. */
#define KEPT_DAYS 30

/* Of one that has left, or waited until what it says was over, nobody needs the text. */
#define OVER "sent_at IS NOT NULL OR expires_at <= now()"

static enum job_end tell(struct request *rq, enum mail_fate fate, const char *why)
{
	if (fate == MAIL_SENT)
		return job_done(rq);
	return fate == MAIL_LATER ? job_failed(rq, "%s", why) : job_refused(rq, "%s", why);
}

static enum job_end send_letter(struct request *rq)
{
	const struct letter_id *in = input(rq);
	struct mailer *mailer = request_mailer(rq);
	const char *why = NULL;
	const struct rows *rows;
	struct letter letter;
	enum mail_fate fate;

	if (mailer == NULL)
		return job_failed(rq, "mail is not set up: say in ostler-app.conf where it goes");
	rows = query(rq,
	    "SELECT to_address, subject, body, id FROM outbox WHERE id = $1 AND NOT (" OVER ")"
	    " FOR UPDATE",
	    in->id);
	if (rows->fate != DONE || rows->count == 0)
		return job_done(rq); /* it was sent, or says nothing that still holds */
	letter = (struct letter){ .to = rows_text(rows, 0, 0),
		.subject = rows_text(rows, 0, 1),
		.body = rows_text(rows, 0, 2),
		.id = arena_print(request_arena(rq), "outbox.%s", rows_text(rows, 0, 3)) };
	fate = mailer_send(mailer, request_arena(rq), &letter, &why);
	if (fate == MAIL_SENT)
		query_later(
		    rq, "UPDATE outbox SET sent_at = now(), body = NULL WHERE id = $1", in->id);
	return tell(rq, fate, why);
}

/* What was sent is known for a month; what was not loses its text when that is over. */
static enum job_end sweep(struct request *rq)
{
	query_later(rq,
	    "WITH over AS (UPDATE outbox SET body = NULL"
	    "  WHERE body IS NOT NULL AND expires_at <= now() RETURNING 1)"
	    " DELETE FROM outbox WHERE body IS NULL AND created_at < now() - $1 * interval '1 day'",
	    KEPT_DAYS);
	return job_done(rq);
}

/* clang-format off */
static const struct job_kind send_mail = { JOB("mail.send", "Send a letter of the outbox", send_letter),
	.takes = &letter_id, .max_attempts = 12, .backoff_s = 5, .backoff_most_s = 1800, .timeout_s = 120,
	.priority = 10, .unique = "*" };
static const struct job_kind sweep_outbox = { JOB("mail.sweep", "Forget letters that are over", sweep),
	.unique = "*" };

const struct feature mail_feature = { .name = "mail", .doc = "Letters to people.",
	.routes = (const struct route[]){ END_OF_ROUTES }, .jobs = JOBS(&send_mail, &sweep_outbox),
	.crons = CRONS({ .name = "mail.sweep", .spec = "*/10 * * * *", .kind = &sweep_outbox }) };
/* clang-format on */
