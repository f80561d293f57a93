/*
 * password.c - another password for whoever knows the one they have.
 *
 * Somebody who changes it may do so because another knows it: every session ends with
 * it, and the one that asked goes on under a new id.  A wrong old password counts as a
 * sign-in that failed, so that a browser left open is no place to guess at it.
 */
#include "core/identity/password_rule.h"
#include "features/accounts/account.h"

struct change {
	const char *old, *new;
};

/* clang-format off */
const struct shape password_change_shape = SHAPE_NAMED("password_change", struct change,
	{ FIELD(struct change, old), .min = 1, .max = PASSWORD_MOST, .required = true,
	    .example = "correct horse battery" },
	{ FIELD(struct change, new), .min = PASSWORD_LEAST, .max = PASSWORD_MOST, .required = true,
	    .example = "staple in a haystack", .doc = PASSWORD_DOC });
/* clang-format on */

/* Between looking at the old password and keeping the new one. */
struct changing {
	const char *old_hash, *new_hash;
};

static int change(struct request *rq, void *context)
{
	const struct changing *changing = context;
	const struct rows *rows = query(rq,
	    "UPDATE users SET password_hash = $3, password_changed_at = now()"
	    " WHERE id = $1 AND password_hash = $2 RETURNING id",
	    user_id(rq), changing->old_hash, changing->new_hash);

	if (rows->fate == DONE && rows->count == 0)
		return reply_problem(rq, 409, "The password was changed meanwhile: start anew.");
	sessions_end_all(rq, user_id(rq));
	session_start(rq, user_id(rq), NULL);
	attempt_end(rq, username(rq));
	audit(rq, AUDIT_PASSWORD_CHANGED, .subject = username(rq));
	return reply_done(rq, NULL);
}

/* 0: the old password is right and the new one may be. */
static int judge(struct request *rq, const struct rows *found)
{
	const struct change *in = input(rq);
	const struct password_owner owner = { .username = rows_text(found, 0, 0),
		.name = rows_text(found, 0, 1),
		.email = rows_text(found, 0, 2) };

	switch (password_judge(rq, in->old, rows_text(found, 0, 3))) {
	case PASSWORD_RIGHT:
		return password_refuse(rq, "new", in->new, &owner);
	case PASSWORD_BUSY:
		attempt_undo(rq, username(rq));
		return 503;
	default:
		audit(rq, AUDIT_PASSWORD_REFUSED, .subject = username(rq));
		return reply_fault(rq, "old", "is not your password");
	}
}

int change_password(struct request *rq)
{
	const struct change *in = input(rq);
	int answered = attempt_begin(rq, username(rq));
	const struct rows *found;
	struct changing changing;

	if (answered != 0)
		return answered;
	found = query(rq, "SELECT username, name, email, password_hash FROM users WHERE id = $1",
	    user_id(rq));
	if (found->fate != DONE || found->count == 0)
		return reply_done(rq, found);
	answered = judge(rq, found);
	if (answered != 0)
		return answered;
	changing.old_hash = rows_text(found, 0, 3);
	changing.new_hash = password_keep(rq, in->new);
	return changing.new_hash != NULL ? together(rq, change, &changing) : 503;
}
