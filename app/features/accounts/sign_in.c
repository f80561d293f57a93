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
#define HASH_COLUMN 7
static const struct rows *find(struct request *rq, const char *name)
{
	return query(rq,
	    "SELECT " ACCOUNT ", password_hash FROM users"
	    " WHERE canonical_name(username) = canonical_name($1)",
	    name);
}

static int refuse(struct request *rq)
{
	return reply_refusal(rq, 401, "bad_credentials", "The user name or the password is wrong.");
}

/*
 * Its owner is here and the password known: the only moment at which a hash can be made
 * dearer.  That it cannot be, for want of memory, is no reason to let nobody in.
 */
static const char *renew_hash(
    struct request *rq, long long user, const char *password, const char *hash)
{
	const char *dearer = password_keep(rq, password);
	const struct rows *rows;

	if (dearer == NULL)
		return hash;
	rows = query(rq,
	    "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id",
	    user, hash, dearer);
	return rows->fate == DONE && rows->count == 1 ? dearer : hash;
}

int sign_in(struct request *rq)
{
	const struct credentials *in = input(rq);
	const struct rows *found = find(rq, in->username);
	const char *hash = NULL;
	long long user = 0;
	int answered;

	if (found->fate != DONE)
		return reply_account(rq, found);
	if (found->count > 0) {
		user = rows_integer(found, 0, 0);
		hash = rows_text(found, 0, HASH_COLUMN);
	}
	if (!password_matches(rq, in->password, hash))
		return refuse(rq);
	answered = second_factor_demand(rq, user, in->code);
	if (answered != 0)
		return answered;
	if (password_is_outdated(rq, hash))
		hash = renew_hash(rq, user, in->password, hash);
	if (!session_start(rq, user, hash))
		return refuse(rq);
	return reply_account(rq, found);
}

int sign_out(struct request *rq)
{
	session_end(rq);
	return reply_done(rq, NULL);
}
