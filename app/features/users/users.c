/* users.c - who there is; whatever a route answers, no password hash is among it. */
#include <string.h>

#include "core/core.h"

/* The default first page of the list is kept, and each user. */
#define LIST     "users_list"
#define ONE_USER "user_{id}"

/* Who is there already and changes is another, in the list and alone. */
#define CHANGES_USER \
	.transaction = true, .versioned = VERSION_OF("users"), .drops = DROPS(LIST, ONE_USER)

#define PAGE_DEFAULT "20"

struct user {
	long long id, version;
	const char *username, *name, *email, *role, *created_at, *updated_at;
};
struct new_user {
	const char *name, *email, *username, *role;
};
struct user_list {
	long long limit;
	struct cursor after;
};

/* clang-format off */
static const struct shape user = SHAPE(struct user,
	{ FIELD(struct user, id) },
	{ FIELD(struct user, username), .example = "ana@example.org" },
	{ FIELD(struct user, name), .example = "Ana Souza" },
	{ FIELD_AS(struct user, email, EMAIL), .example = "ana@example.org" },
	{ FIELD(struct user, role), .one_of = role_names, .doc = "What they may; each may what those before it may." },
	{ FIELD(struct user, version), .doc = "Raised by every change; the ETag." },
	{ FIELD_AS(struct user, created_at, TIME) },
	{ FIELD_AS(struct user, updated_at, TIME) });

/* The columns of a user that are the same for all who write one. */
#define NAME  FIELD(struct new_user, name), .min = 1, .max = 200, .example = "Ana Souza"
#define EMAIL_OF_ONE FIELD_AS(struct new_user, email, EMAIL), .example = "ana@example.org", \
	.unique = "users_email_unique", .doc = "Nobody else may have it, in any capitalization."
#define USERNAME FIELD(struct new_user, username), .min = 1, .max = 254, .example = "ana", \
	.pattern = "[\\p{L}\\p{N}]", .unique = "users_username_unique"
#define ROLE FIELD(struct new_user, role), .one_of = role_names

static const struct shape new_user = SHAPE(struct new_user,
	{ NAME, .required = true },
	{ EMAIL_OF_ONE, .required = true },
	{ USERNAME, .doc = "The email unless given." },
	{ ROLE, .preset = "user" });

/* PUT, unlike POST, has a user name to leave as it is: people sign in with it. */
static const struct shape whole_user = SHAPE_NAMED("whole_user", struct new_user,
	{ NAME, .required = true },
	{ EMAIL_OF_ONE, .required = true },
	{ USERNAME, .doc = "As it was unless given." },
	{ ROLE, .doc = "As it was unless given. With another one their sessions end." });

static const struct shape changed_user = SHAPE_NAMED("changed_user", struct new_user,
	{ NAME }, { EMAIL_OF_ONE }, { USERNAME },
	{ ROLE, .doc = "With another one their sessions end." });

static const struct shape user_list = SHAPE(struct user_list,
	{ FIELD(struct user_list, limit), .min = 1, .max = 200, .preset = PAGE_DEFAULT },
	{ FIELD(struct user_list, after), .doc = "The \"next\" of the page before." });
/* clang-format on */

#define COLUMNS "id, username, name, email, role, version, created_at, updated_at"
enum { ID_COLUMN, USERNAME_COLUMN, ROLE_COLUMN = 4 };

/* --- reading --- */

static const struct rows *find_page(struct request *rq, const struct user_list *in)
{
	return query(rq,
	    "SELECT " COLUMNS " FROM users"
	    " WHERE (created_at, id) < (coalesce($1::timestamptz, 'infinity'), $2::bigint)"
	    " ORDER BY created_at DESC, id DESC LIMIT $3::bigint + 1",
	    in->after.time, in->after.id, in->limit);
}

static int list_users(struct request *rq)
{
	const struct user_list *in = input(rq);

	return reply_list(rq, find_page(rq, in), in->limit);
}

static int read_user(struct request *rq)
{
	return reply_row(rq, query(rq, "SELECT " COLUMNS " FROM users WHERE id = $1", path_id(rq)));
}

/* --- changing --- */

/* Whoever was added chooses a password by a link in a letter: nobody else ever knows it. */
static void welcome(struct request *rq, const struct rows *made)
{
	const char *wrong = NULL;

	(void)enqueue_named(rq, "accounts.send_link",
	    arena_print(request_arena(rq), "{\"purpose\":\"invitation\",\"user\":%s}",
		rows_text(made, 0, ID_COLUMN)),
	    &wrong);
	audit(rq, AUDIT_USER_CREATED, .subject = rows_text(made, 0, USERNAME_COLUMN),
	    .details = audit_detail(rq, "role", rows_text(made, 0, ROLE_COLUMN)));
}

static int create_user(struct request *rq)
{
	const struct new_user *in = input(rq);

	const struct rows *made = query(rq,
	    "INSERT INTO users (name, email, username, role)"
	    " VALUES ($1, $2, coalesce($3, $2), $4) RETURNING " COLUMNS,
	    in->name, in->email, in->username, in->role);

	if (made->fate == DONE)
		welcome(rq, made);
	return reply_created(rq, made);
}

/*
 * What a session may is kept with it, so whoever is given another role signs in anew, with
 * a new id.  Who gives one to themselves stays, as a session that begins with this answer.
 */
static void follow_role(struct request *rq, const char *username, const char *role)
{
	audit(
	    rq, AUDIT_ROLE_CHANGED, .subject = username, .details = audit_detail(rq, "role", role));
	sessions_end_all(rq, path_id(rq));
	if (path_id(rq) == user_id(rq))
		session_start(rq, user_id(rq), NULL);
}

/* The address before is told: a new password can be sent to the other one. */
static void follow_address(struct request *rq, const char *username, const char *move)
{
	const char *wrong = NULL;

	audit(rq, AUDIT_ADDRESS_CHANGED, .subject = username);
	(void)enqueue_named(rq, "accounts.address_changed", move, &wrong);
}

/*
 * What follows from a change of who is there already.  The row is locked before it is
 * compared: of two changes at once the second must see the first, and nobody signs in
 * between them.
 */
static void follow(struct request *rq, const struct new_user *in)
{
	const struct rows *before = query(rq,
	    "SELECT username, role, email, json_build_object('user', id, 'before', email)"
	    " FROM users WHERE id = $1 FOR UPDATE",
	    path_id(rq));

	if (before->fate != DONE || before->count == 0)
		return;
	if (is_given(rq, struct new_user, role) && strcmp(rows_text(before, 0, 1), in->role) != 0)
		follow_role(rq, rows_text(before, 0, 0), in->role);
	if (is_given(rq, struct new_user, email) && strcmp(rows_text(before, 0, 2), in->email) != 0)
		follow_address(rq, rows_text(before, 0, 0), rows_text(before, 0, 3));
}

/* PUT gives all but the user name and the role, PATCH any: what is not given stays. */
static int update_user(struct request *rq)
{
	const struct new_user *in = input(rq);

	/* A change of nothing raises no version (RFC 5789 leaves that to us). */
	if (!given_any(rq))
		return read_user(rq);
	if (is_given(rq, struct new_user, role) || is_given(rq, struct new_user, email))
		follow(rq, in);
	if (is_given(rq, struct new_user, username))
		sessions_changed(rq, path_id(rq));
	return reply_row(rq,
	    query(rq,
		"UPDATE users SET name = coalesce($2, name), email = coalesce($3, email),"
		" username = coalesce($4, username), role = coalesce($5, role),"
		" version = version + 1, updated_at = now()"
		" WHERE id = $1 RETURNING " COLUMNS,
		path_id(rq), given(rq, struct new_user, name), given(rq, struct new_user, email),
		given(rq, struct new_user, username), given(rq, struct new_user, role)));
}

/*
 * Their tasks and sessions go with them (ON DELETE CASCADE), and so must what is kept of
 * these.  Nobody signs in between the two statements: a session that begins needs the row.
 */
static int delete_user(struct request *rq)
{
	const struct rows *gone;

	if (path_id(rq) == user_id(rq))
		return reply_problem(rq, 409, "Nobody can delete themselves: ask somebody else.");
	cache_drop(rq, arena_print(request_arena(rq), "tasks:user:%lld", path_id(rq)));
	query_later(rq, "SELECT FROM users WHERE id = $1 FOR UPDATE", path_id(rq));
	sessions_end_all(rq, path_id(rq));
	gone = query(rq, "DELETE FROM users WHERE id = $1 RETURNING username", path_id(rq));
	if (gone->fate == DONE && gone->count > 0)
		audit(rq, AUDIT_USER_DELETED, .subject = rows_text(gone, 0, 0));
	return reply_done(rq, gone);
}

/* clang-format off */
const struct feature users_feature = { .name = "users", .doc = "The people who have tasks.", .routes = ROUTES(
	{ ROUTE(GET, "/users", "List the users, newest first", MANAGER, list_users),
	    .takes = &user_list, .gives = &user, .list = true,
	    .cached = { .key = LIST, .seconds = 60 } },
	{ ROUTE(POST, "/users", "Add a user", ADMIN, create_user),
	    .takes = &new_user, .gives = &user, .status = 201, .transaction = true,
	    .drops = DROPS(LIST) },
	{ ROUTE(GET, "/users/{id}", "Read a user", MANAGER, read_user),
	    .gives = &user, .cached = { .key = ONE_USER, .seconds = 300 } },
	{ ROUTE(PUT, "/users/{id}", "Write a user anew", ADMIN, update_user),
	    .takes = &whole_user, .gives = &user, CHANGES_USER },
	{ ROUTE(PATCH, "/users/{id}", "Change what is given of a user", ADMIN, update_user),
	    .takes = &changed_user, .gives = &user, CHANGES_USER },
	{ ROUTE(DELETE, "/users/{id}", "Delete a user and all their tasks", ADMIN, delete_user),
	    CHANGES_USER }) };
/* clang-format on */
