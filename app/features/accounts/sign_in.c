/*
 * sign_in.c - a name and a password become a session, and a session ends.
 *
 * Who is not there and who is not right are told the same, after the same work.  While a
 * password is hashed, which takes a while on purpose, no connection to the database is
 * held: so the session begins only if the password is still the one that was checked.
 */
#include "features/accounts/account.h"

struct credentials {
	const char *username, *password, *code;
};

/* clang-format off */
const struct shape credentials_shape = SHAPE_NAMED("credentials", struct credentials,
	{ FIELD(struct credentials, username), .min = 1, .max = 254, .required = true, .example = "ana" },
	{ FIELD(struct credentials, password), .min = 1, .max = PASSWORD_MOST, .required = true,
	    .example = "correct horse battery" },
	{ FIELD(struct credentials, code), .max = 40, .example = "123456",
	    .doc = "Of the authenticator app, or a recovery code; asked for by a 401 whose code is totp_required." });
/* clang-format on */

/* The account, and behind it the one column that no answer shows. */
#define USERNAME_COLUMN 1
#define HASH_COLUMN     7
static const struct rows *find(struct request *rq, const char *name)
{
	return query(rq,
	    "SELECT " ACCOUNT ", password_hash FROM users"
	    " WHERE canonical_name(username) = canonical_name($1)",
	    name);
}

static int refuse(struct request *rq)
{
	const struct credentials *in = input(rq);

	audit(rq, AUDIT_SIGN_IN_FAILED, .actor = in->username);
	return reply_refusal(rq, 401, "bad_credentials", "The user name or the password is wrong.");
}

/*
 * Its owner is here and the password known: the only moment at which a hash can be made
 * dearer.  That it cannot be just now is no reason to let nobody in.
 */
static const char *renew_hash(
    struct request *rq, long long user, const char *password, const char *hash)
{
	const char *dearer = password_renewed(rq, password, hash);
	const struct rows *rows;

	if (dearer == NULL)
		return hash;
	rows = query(rq,
	    "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id",
	    user, hash, dearer);
	return rows->fate == DONE && rows->count == 1 ? dearer : hash;
}

/* Who has been found, the hash that was checked, and what they are answered. */
struct newcomer {
	const struct rows *found;
	const char *hash;
	welcome_fn *welcome;
};

static int begin_session(struct request *rq, void *context)
{
	const struct newcomer *who = context;
	const struct credentials *in = input(rq);

	if (!session_start(rq, rows_integer(who->found, 0, 0), who->hash))
		return refuse(rq);
	attempt_end(rq, in->username);
	audit(rq, AUDIT_SIGN_IN, .actor = rows_text(who->found, 0, USERNAME_COLUMN),
	    .actor_id = rows_integer(who->found, 0, 0));
	return who->welcome(rq, who->found);
}

/* Whether it is the password of whoever was FOUND, if anybody was; 0, or the answer's status. */
static int check_password(struct request *rq, const struct rows *found)
{
	const struct credentials *in = input(rq);
	const char *hash = found->count > 0 ? rows_text(found, 0, HASH_COLUMN) : NULL;

	switch (password_judge(rq, in->password, hash)) {
	case PASSWORD_RIGHT:
		return 0;
	case PASSWORD_BUSY:
		/* Nothing was looked at: whoever floods us must not make others wait for it. */
		attempt_undo(rq, in->username);
		return 503;
	default:
		return refuse(rq);
	}
}

int sign_in_with(struct request *rq, welcome_fn *welcome)
{
	const struct credentials *in = input(rq);
	int answered = attempt_begin(rq, in->username);
	struct newcomer who = { .welcome = welcome };

	if (answered != 0)
		return answered;
	who.found = find(rq, in->username);
	if (who.found->fate != DONE)
		return reply_account(rq, who.found);
	answered = check_password(rq, who.found);
	if (answered != 0)
		return answered;
	answered = second_factor_demand(rq, rows_integer(who.found, 0, 0), in->code);
	if (answered != 0) {
		/* Who has not sent a code yet has guessed at nothing. */
		if (in->code == NULL || *in->code == '\0')
			attempt_undo(rq, in->username);
		return answered;
	}
	who.hash = renew_hash(
	    rq, rows_integer(who.found, 0, 0), in->password, rows_text(who.found, 0, HASH_COLUMN));
	return together(rq, begin_session, &who);
}

int sign_in(struct request *rq)
{
	return sign_in_with(rq, reply_account);
}

int sign_out(struct request *rq)
{
	long long user = session_end(rq);

	if (user != 0)
		audit(rq, AUDIT_SIGN_OUT, .actor_id = user);
	return reply_done(rq, NULL);
}
