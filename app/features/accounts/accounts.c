/* accounts.c - who somebody is to us: how they come to be, and what they can see of themselves. */
#include <string.h>

#include "features/accounts/account.h"

struct account {
	long long id, version;
	const char *username, *name, *email, *role;
	bool totp;
};
struct newcomer {
	const char *username, *name, *email, *password;
};
struct changed_account {
	const char *username, *name, *email;
};

/* clang-format off */
const struct shape account_shape = SHAPE(struct account,
	{ FIELD(struct account, id) },
	{ FIELD(struct account, username), .example = "ana" },
	{ FIELD(struct account, name), .example = "Ana Souza" },
	{ FIELD_AS(struct account, email, EMAIL), .example = "ana@example.org" },
	{ FIELD(struct account, role), .one_of = role_names },
	{ FIELD(struct account, totp), .doc = "Whether signing in takes a second factor." },
	{ FIELD(struct account, version), .doc = "Raised by every change; the ETag." });

/* The same for who is new and who changes. */
#define USERNAME(type) FIELD(type, username), .min = 1, .max = 254, .example = "ana", \
	.pattern = "[\\p{L}\\p{N}]", .unique = "users_username_unique", \
	.doc = "With a letter or a digit in it.  Nobody else may have it, in any capitalization or Unicode form."
#define EMAIL_OF(type) FIELD_AS(type, email, EMAIL), .example = "ana@example.org", .unique = "users_email_unique"

static const struct shape newcomer = SHAPE(struct newcomer,
	{ USERNAME(struct newcomer), .required = true },
	{ EMAIL_OF(struct newcomer), .required = true },
	{ FIELD(struct newcomer, password), .min = PASSWORD_LEAST, .max = PASSWORD_MOST, .required = true,
	    .example = "correct horse battery", .doc = PASSWORD_DOC },
	{ FIELD(struct newcomer, name), .min = 1, .max = 200, .doc = "The user name unless given." });

static const struct shape changed_account = SHAPE(struct changed_account,
	{ USERNAME(struct changed_account) },
	{ EMAIL_OF(struct changed_account) },
	{ FIELD(struct changed_account, name), .min = 1, .max = 200 });
/* clang-format on */

int reply_account(struct request *rq, const struct rows *rows)
{
	if (rows->fate != DONE || rows->count == 0)
		return reply_row(rq, rows);
	return reply_struct(rq, &(struct account){ .id = rows_integer(rows, 0, 0),
				    .username = rows_text(rows, 0, 1),
				    .name = rows_text(rows, 0, 2),
				    .email = rows_text(rows, 0, 3),
				    .role = rows_text(rows, 0, 4),
				    .totp = rows_text(rows, 0, 5)[0] == 't',
				    .version = rows_integer(rows, 0, 6) });
}

/* Whoever is new has proved who they are as well as a password can, and is signed in. */
static int sign_up(struct request *rq)
{
	const struct newcomer *in = input(rq);
	const struct password_owner owner = {
		.username = in->username, .name = in->name, .email = in->email
	};
	int answered = password_refuse(rq, "password", in->password, &owner);
	const struct rows *made;
	const char *hash;

	if (answered != 0)
		return answered;
	hash = password_keep(rq, in->password);
	if (hash == NULL)
		return 503;
	made = query(rq,
	    "INSERT INTO users (username, name, email, password_hash, password_changed_at)"
	    " VALUES ($1, coalesce($2, left($1, 200)), $3, $4, now()) RETURNING " ACCOUNT,
	    in->username, in->name, in->email, hash);
	if (made->fate == DONE) {
		session_start(rq, rows_integer(made, 0, 0), NULL);
		audit(rq, AUDIT_REGISTERED, .actor = rows_text(made, 0, 1),
		    .actor_id = rows_integer(made, 0, 0));
		reply_location(rq, "/api/me");
	}
	return reply_account(rq, made);
}

static int read_me(struct request *rq)
{
	return reply_row(rq, query(rq, "SELECT " ACCOUNT " FROM users WHERE id = $1", user_id(rq)));
}

/* Sessions hold the user name with them: theirs are to learn the new one. */
static int change_me(struct request *rq)
{
	const struct changed_account *in = input(rq);
	const char *key = arena_print(request_arena(rq), "user_%lld", user_id(rq));

	/* A change of nothing raises no version (RFC 5789 leaves that to us). */
	if (!given_any(rq))
		return read_me(rq);
	cache_drop(rq, key);
	if (is_given(rq, struct changed_account, email))
		follow_address(rq, in->email);
	if (is_given(rq, struct changed_account, username))
		sessions_changed(rq, user_id(rq));
	return reply_row(rq,
	    query(rq,
		"UPDATE users SET username = coalesce($2, username), name = coalesce($3, name),"
		" email = coalesce($4, email), version = version + 1, updated_at = now()"
		" WHERE id = $1 RETURNING " ACCOUNT,
		user_id(rq), given(rq, struct changed_account, username),
		given(rq, struct changed_account, name), given(rq, struct changed_account, email)));
}

/* What every route has where somebody may guess: many tries are dear, and all that fail are on
 * record. */
#define GUARDED .guarded = true, .secret = true, .quota = QUOTA_EXPENSIVE

/* clang-format off */
const struct feature accounts_feature = { .name = "accounts", .doc = "Signing up, in and out; one's own account.", .routes = ROUTES(
	{ ROUTE(POST, "/api/register", "Make an account and sign in", ANYONE, sign_up),
	    .takes = &newcomer, .gives = &account_shape, .status = 201, GUARDED,
	    .transaction = true, .drops = DROPS("users_list") },
	{ ROUTE(POST, "/api/login", "Sign in", ANYONE, sign_in),
	    .takes = &credentials_shape, .gives = &account_shape, GUARDED },
	{ ROUTE(POST, "/api/logout", "Sign out", ANYONE, sign_out), .transaction = true },
	{ ROUTE(POST, "/login", "Sign in, from a form", ANYONE, sign_in_by_form),
	    .takes = &credentials_shape, .form = true, .status = 303, GUARDED },
	{ ROUTE(POST, "/logout", "Sign out, from a form", ANYONE, sign_out_by_form),
	    .status = 303, .transaction = true },
	{ ROUTE(POST, "/api/password/forgot", "Ask for a link to choose a new password", ANYONE, ask_for_link),
	    .takes = &forgotten_shape, .gives = &link_asked_shape, .status = 202, GUARDED },
	{ ROUTE(POST, "/api/password/reset", "Choose a password by such a link", ANYONE, reset_password),
	    .takes = &reset_shape, GUARDED },
	{ ROUTE(GET, "/api/me", "Read my account", SIGNED_IN, read_me),
	    .gives = &account_shape, .personal = true },
	{ ROUTE(POST, "/api/me/password", "Choose another password", SIGNED_IN, change_password),
	    .takes = &password_change_shape, .in_person = true, GUARDED },
	{ ROUTE(PATCH, "/api/me", "Change what is given of my account", SIGNED_IN, change_me),
	    .takes = &changed_account, .gives = &account_shape, .versioned = VERSION_OF("users"), .in_person = true, .transaction = true,
	    .drops = DROPS("users_list") },
	{ ROUTE(GET, "/api/me/sessions", "List where I am signed in, newest first", SIGNED_IN, list_sessions),
	    .gives = &signed_in_shape, .list = true },
	{ ROUTE(DELETE, "/api/me/sessions", "Sign out everywhere", SIGNED_IN, end_all_sessions),
	    .in_person = true },
	{ ROUTE(DELETE, "/api/me/sessions/{id}", "Sign out there", SIGNED_IN, end_session),
	    .takes = &session_id_shape, .in_person = true }),
	.jobs = JOBS(&send_link_job, &address_changed_job, &forget_job, &sweep_sessions),
	.crons = CRONS({ .name = "accounts.forget", .spec = "*/5 * * * *", .kind = &forget_job },
	    { .name = "accounts.sweep", .spec = "7 * * * *", .kind = &sweep_sessions }) };
/* clang-format on */
