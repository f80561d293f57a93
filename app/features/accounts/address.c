/*
 * address.c - another address of an account: the one before is told.
 *
 * A forgotten password is sent to the address, so whoever gets at a browser that was left
 * open could take the account by it.  Its owner still reads the old address, and learns of
 * it there.  Links that are under way to it end with the change (sql/0014).
 */
#include <string.h>

#include "features/accounts/account.h"

struct moved {
	long long user;
	const char *before;
};

/* clang-format off */
static const struct shape moved = SHAPE(struct moved,
	{ FIELD(struct moved, user), .required = true },
	{ FIELD(struct moved, before), .max = 254, .required = true });
/* clang-format on */

/* For how long the letter is tried: a week, days later it is worth reading still. */
#define LETTER_LIFE_S 604800

static const char *letter_to(struct request *rq, const char *username)
{
	return arena_print(request_arena(rq),
	    "Hello,\n\nthe account%s at %s has another e-mail address from now on, and this one is"
	    " none of its any more.\nIf that was not you, or an admin for you, tell an admin at"
	    " once: whoever reads the new address can have a new password sent there.\n",
	    account_name(rq, username), link_options(rq)->site);
}

/* Who has no password yet has an invitation, which went to a wrong address: to a stranger. */
static enum job_end tell_before(struct request *rq)
{
	const struct moved *in = input(rq);
	const struct rows *found = query(
	    rq, "SELECT username FROM users WHERE id = $1 AND password_hash IS NOT NULL", in->user);
	const struct rows *letter;
	const char *wrong = NULL;

	if (found->fate != DONE || found->count == 0)
		return job_done(rq);
	letter = query(rq,
	    "INSERT INTO outbox (to_address, subject, body, expires_at)"
	    " VALUES ($1, $2, $3, now() + make_interval(secs => $4)) RETURNING id",
	    in->before, "Another address", letter_to(rq, rows_text(found, 0, 0)),
	    (double)LETTER_LIFE_S);
	if (letter->fate == DONE)
		(void)enqueue_named(rq, "mail.send",
		    arena_print(request_arena(rq), "{\"id\":%s}", rows_text(letter, 0, 0)), &wrong);
	return job_done(rq);
}

void follow_address(struct request *rq, const char *email)
{
	const struct rows *before = query(
	    rq, "SELECT email FROM users WHERE id = $1 FOR UPDATE", user_id(rq));

	if (before->fate != DONE || before->count == 0 ||
	    strcmp(rows_text(before, 0, 0), email) == 0)
		return;
	(void)enqueue(rq, &address_changed_job,
	    &(struct moved){ .user = user_id(rq), .before = rows_text(before, 0, 0) });
	audit(rq, AUDIT_ADDRESS_CHANGED, .subject = username(rq));
}

/* clang-format off */
const struct job_kind address_changed_job = { JOB("accounts.address_changed", "Tell an address that it is one no more", tell_before),
	.takes = &moved };
/* clang-format on */
