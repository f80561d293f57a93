/*
 * links.c - links that work once: for who was added and has no password yet, and who forgot theirs.
 *
 * Asking for one is the same for everybody: a job is enqueued, whatever was typed, and
 * the answer is 202.  Only the job looks whether there is such an account, so that
 * neither the answer nor its time tells.  What is in a link is 256 random bits; the
 * table has their SHA-256, and the letter's text is gone once it has left.
 */
#include "base/crypto.h"
#include "core/identity/password_rule.h"
#include "features/accounts/account.h"

#include <string.h>

#define TOKEN_BYTES 32

/* What was used or is over is kept so long, for people who wonder; days. */
#define KEPT_DAYS 7

struct forgotten {
	const char *username, *email;
};
struct asked {
	const char *detail;
};
struct reset {
	const char *token, *password;
};
struct link_wish {
	const char *purpose, *username, *email;
	long long user;
};

static const char *const purposes[] = { "invitation", "reset", NULL };

/* clang-format off */
const struct shape forgotten_shape = SHAPE_NAMED("forgotten", struct forgotten,
	{ FIELD(struct forgotten, username), .min = 1, .max = 254, .example = "ana" },
	{ FIELD_AS(struct forgotten, email, EMAIL), .example = "ana@example.org",
	    .doc = "One of both is enough." });

const struct shape link_asked_shape = SHAPE_NAMED("link_asked", struct asked,
	{ FIELD(struct asked, detail), .doc = "The same whether or not there is such an account." });

const struct shape reset_shape = SHAPE_NAMED("reset", struct reset,
	{ FIELD(struct reset, token), .min = 1, .max = 200, .required = true, .doc = "What stood in the link." },
	{ FIELD(struct reset, password), .min = PASSWORD_LEAST, .max = PASSWORD_MOST, .required = true,
	    .example = "correct horse battery", .doc = PASSWORD_DOC });

static const struct shape link_wish = SHAPE(struct link_wish,
	{ FIELD(struct link_wish, purpose), .one_of = purposes, .required = true },
	{ FIELD(struct link_wish, username), .max = 254 },
	{ FIELD(struct link_wish, email), .max = 254 },
	{ FIELD(struct link_wish, user) });
/* clang-format on */

/* --- asking --- */

int ask_for_link(struct request *rq)
{
	const struct forgotten *in = input(rq);
	const struct link_wish wish = {
		.purpose = "reset", .username = in->username, .email = in->email
	};

	if (in->username == NULL && in->email == NULL)
		return reply_fault(rq, "username", "is missing, and so is email");
	if (enqueue(rq, &send_link_job, &wish) == NULL)
		return reply_done(rq, NULL); /* which says why */
	return reply_struct(rq,
	    &(struct asked){ "If there is such an account, a letter with a link is on its way." });
}

/* --- the job --- */

/* Whom a wish is for, unless they were sent such a link just now; their address stays until it is
 * written. */
static const struct rows *find_people(struct request *rq, const struct link_wish *wish)
{
	return query(rq,
	    "SELECT id, username, email FROM users WHERE (id = $1"
	    "  OR canonical_name(username) = canonical_name($2) OR lower(email) = lower($3))"
	    " AND NOT EXISTS (SELECT FROM one_time_links WHERE user_id = users.id AND purpose = $4"
	    "  AND created_at > now() - make_interval(secs => $5)) FOR SHARE",
	    given(rq, struct link_wish, user), wish->username, wish->email, wish->purpose,
	    link_options(rq)->pause);
}

/* Whoever made an account chose its name: only one that can be no message is repeated. */
static bool is_plain(const char *username)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return strlen(username) <= 64 && strspn(username, plain) == strlen(username);
}

const char *account_name(struct request *rq, const char *username)
{
	return is_plain(username) ? arena_print(request_arena(rq), " \"%s\"", username) : "";
}

static const char *letter_of(
    struct request *rq, const char *purpose, const char *username, const char *link)
{
	bool invited = strcmp(purpose, "invitation") == 0;
	const char *name = account_name(rq, username);

	return arena_print(request_arena(rq),
	    "Hello,\n\n%s%s at %s.\nWith this link you choose %s:\n\n%s\n\n"
	    "It works once, and not for long.%s\n",
	    invited ? "there is an account for you"
		    : "somebody asked for a new password of your account",
	    name, link_options(rq)->site, invited ? "your password" : "it", link,
	    invited ? "" : " If it was not you, do nothing: your password stays as it is.");
}

/* The link and its letter, or neither: all of it is one transaction. */
static void write_link(
    struct request *rq, const char *purpose, const struct rows *people, int person)
{
	const struct link_options *options = link_options(rq);
	double life = strcmp(purpose, "reset") == 0 ? options->reset : options->invitation;
	unsigned char token[TOKEN_BYTES], hash[DIGEST_BYTES];
	const char *text, *wrong = NULL;
	const struct rows *letter;

	random_fill(token, sizeof(token));
	text = base64url_write(request_arena(rq), token, sizeof(token));
	digest_of(token, sizeof(token), hash);
	query_later(rq,
	    "INSERT INTO one_time_links (token_hash, user_id, purpose, expires_at)"
	    " VALUES (decode($1, 'hex'), $2, $3, now() + make_interval(secs => $4))",
	    hex_write(request_arena(rq), hash, sizeof(hash)), rows_integer(people, person, 0),
	    purpose, life);
	letter = query(rq,
	    "INSERT INTO outbox (to_address, subject, body, expires_at)"
	    " VALUES ($1, $2, $3, now() + make_interval(secs => $4)) RETURNING id",
	    rows_text(people, person, 2),
	    strcmp(purpose, "reset") == 0 ? "Your new password" : "Your account",
	    letter_of(rq, purpose, rows_text(people, person, 1),
		arena_print(request_arena(rq), "%s/reset?token=%s", options->site, text)),
	    life);
	if (letter->fate == DONE)
		(void)enqueue_named(rq, "mail.send",
		    arena_print(request_arena(rq), "{\"id\":%s}", rows_text(letter, 0, 0)), &wrong);
	audit(rq, AUDIT_LINK_SENT, .actor = rows_text(people, person, 1),
	    .actor_id = rows_integer(people, person, 0),
	    .details = audit_detail(rq, "purpose", purpose));
}

static enum job_end send_link(struct request *rq)
{
	const struct link_wish *wish = input(rq);
	const struct rows *people = find_people(rq, wish);

	for (int i = 0; people->fate == DONE && i < people->count; i++)
		write_link(rq, wish->purpose, people, i);
	return job_done(rq);
}

/* --- using --- */

/* The digest of what stood in the link, as hexadecimal digits; NULL: it can be none. */
static const char *hash_of_token(struct request *rq, const char *text)
{
	unsigned char token[TOKEN_BYTES], hash[DIGEST_BYTES];

	if (!base64url_read(text, token, sizeof(token)))
		return NULL;
	digest_of(token, sizeof(token), hash);
	return hex_write(request_arena(rq), hash, sizeof(hash));
}

static int refuse_link(struct request *rq)
{
	audit(rq, AUDIT_LINK_REFUSED, .subject = "/api/password/reset");
	return reply_refusal(rq, 422, "bad_link",
	    "This link was used, is too old, or was never one of ours: ask for another.");
}

/* What is known of a link before its user's new password is hashed. */
struct using
{
	const char *token_hash, *password_hash;
};

#define GOOD "used_at IS NULL AND expires_at > now()"

static int use_link(struct request *rq, void *context)
{
	const struct using *using = context;
	const struct rows *used = query(rq,
	    "UPDATE one_time_links SET used_at = now() WHERE token_hash = decode($1, 'hex') "
	    "AND " GOOD
	    " RETURNING user_id, purpose, (SELECT username FROM users WHERE id = user_id)",
	    using->token_hash);

	if (used->fate != DONE)
		return reply_done(rq, NULL);
	if (used->count == 0)
		return refuse_link(rq);
	query_later(rq,
	    "UPDATE users SET password_hash = $2, password_changed_at = now() WHERE id = $1",
	    rows_integer(used, 0, 0), using->password_hash);
	/* Others that are under way would do the same for whoever reads that mailbox later. */
	query_later(rq, "UPDATE one_time_links SET used_at = now() WHERE user_id = $1 AND " GOOD,
	    rows_integer(used, 0, 0));
	sessions_end_all(rq, rows_integer(used, 0, 0));
	audit(rq, AUDIT_LINK_USED, .actor = rows_text(used, 0, 2),
	    .actor_id = rows_integer(used, 0, 0),
	    .details = audit_detail(rq, "purpose", rows_text(used, 0, 1)));
	return reply_done(rq, NULL);
}

int reset_password(struct request *rq)
{
	const struct reset *in = input(rq);
	struct using using = { .token_hash = hash_of_token(rq, in->token) };
	const struct rows *found;
	int answered;

	if (using.token_hash == NULL)
		return refuse_link(rq);
	found = query(rq,
	    "SELECT username, name, email FROM one_time_links JOIN users ON users.id = user_id"
	    " WHERE token_hash = decode($1, 'hex') AND " GOOD,
	    using.token_hash);
	if (found->fate == DONE && found->count == 0)
		return refuse_link(rq);
	if (found->fate != DONE)
		return reply_done(rq, found);
	answered = password_refuse(rq, "password", in->password,
	    &(struct password_owner){ .username = rows_text(found, 0, 0),
		.name = rows_text(found, 0, 1),
		.email = rows_text(found, 0, 2) });
	if (answered != 0)
		return answered;
	using.password_hash = password_keep(rq, in->password);
	return using.password_hash != NULL ? together(rq, use_link, &using) : 503;
}

/* --- what is over --- */

static enum job_end forget(struct request *rq)
{
	query_later(rq,
	    "DELETE FROM one_time_links WHERE expires_at < now() - $1 * interval '1 day'",
	    KEPT_DAYS);
	attempts_forget(rq);
	return job_done(rq);
}

/* clang-format off */
const struct job_kind send_link_job = { JOB("accounts.send_link", "Send a link that works once", send_link),
	.takes = &link_wish, .unique = "*", .priority = 10 };
const struct job_kind forget_job = { JOB("accounts.forget", "Forget links and attempts that are over", forget),
	.unique = "*" };
/* clang-format on */
