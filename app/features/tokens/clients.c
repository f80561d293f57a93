/*
 * clients.c - which programs may have tokens, for whom they act, and how far that reaches.
 *
 * A client acts for a user, so that everything else, whose tasks, whose quota, whose line
 * of the audit, is as if that user had asked.  It may what its own role and the user's
 * both allow, when a token is made.
 */
#include "features/tokens/tokens.h"

#include <limits.h>

#include "core/identity/role.h"
#include "core/identity/scope.h"

#define PAGE_DEFAULT "20"

struct client {
	const char *client_id, *name, *username, *role, *scope, *created_at, *updated_at;
	long long id, user_id, version;
	bool refresh;
};
struct created_client {
	const char *client_id, *name, *username, *role, *scope, *secret;
	long long id, user_id, version;
	bool refresh;
};
struct new_client {
	const char *name, *role, *scope;
	long long user_id;
	bool refresh;
};
struct client_page {
	long long limit;
	struct cursor after;
};

/* clang-format off */
#define WHAT_IS_TOLD(type) \
	{ FIELD(type, id) }, \
	{ FIELD_AS(type, client_id, UUID), .doc = "How it calls itself." }, \
	{ FIELD(type, name), .example = "nightly export" }, \
	{ FIELD(type, user_id), .doc = "For whom it acts." }, \
	{ FIELD(type, username) }, \
	{ FIELD(type, role), .one_of = role_names }, \
	{ FIELD(type, scope), .one_of = scopes }, \
	{ FIELD(type, refresh) }, \
	{ FIELD(type, version), .doc = "Raised by every change; the ETag." }

const struct shape client_shape = SHAPE(struct client, WHAT_IS_TOLD(struct client),
	{ FIELD_AS(struct client, created_at, TIME) }, { FIELD_AS(struct client, updated_at, TIME) });

const struct shape created_client_shape = SHAPE(struct created_client,
	WHAT_IS_TOLD(struct created_client),
	{ FIELD(struct created_client, secret), .doc = "Its client_secret: told now and never again." });

#define NAME  FIELD(struct new_client, name), .min = 1, .max = 100, .example = "nightly export"
#define ROLE  FIELD(struct new_client, role), .one_of = role_names, \
	.doc = "The most that it may; never more than the user may."
#define SCOPE FIELD(struct new_client, scope), .one_of = scopes, \
	.doc = "read is for GET, write for everything else."
#define REFRESH FIELD(struct new_client, refresh), .doc = "Whether it gets refresh tokens, too."

const struct shape new_client_shape = SHAPE(struct new_client,
	{ NAME, .required = true },
	{ FIELD(struct new_client, user_id), .min = 1, .max = LLONG_MAX, .doc = "For whom it acts: yourself unless given." },
	{ ROLE, .preset = "user" }, { SCOPE, .preset = SCOPE_BOTH }, { REFRESH, .preset = "true" });

const struct shape changed_client_shape = SHAPE_NAMED("changed_client", struct new_client,
	{ NAME }, { ROLE }, { SCOPE }, { REFRESH });

const struct shape client_page_shape = SHAPE(struct client_page,
	{ FIELD(struct client_page, limit), .min = 1, .max = 200, .preset = PAGE_DEFAULT },
	{ FIELD(struct client_page, after), .doc = "The \"next\" of the page before." });
/* clang-format on */

#define COLUMNS                                                                                    \
	"c.id, c.client_id, c.name, c.user_id, u.username, c.role, c.scope, c.refresh, c.version," \
	" c.created_at, c.updated_at"

/* --- reading --- */

int list_clients(struct request *rq)
{
	const struct client_page *in = input(rq);

	return reply_list(rq,
	    query(rq,
		"SELECT " COLUMNS " FROM api_clients c JOIN users u ON u.id = c.user_id"
		" WHERE (c.created_at, c.id) < (coalesce($1::timestamptz, 'infinity'),"
		" $2::bigint)"
		" ORDER BY c.created_at DESC, c.id DESC LIMIT $3::bigint + 1",
		in->after.time, in->after.id, in->limit),
	    in->limit);
}

static const struct rows *find(struct request *rq)
{
	return query(rq,
	    "SELECT " COLUMNS " FROM api_clients c JOIN users u ON u.id = c.user_id"
	    " WHERE c.id = $1",
	    path_id(rq));
}

int read_client(struct request *rq)
{
	return reply_row(rq, find(rq));
}

/* --- changing --- */

/* What was done to the client in the first row: its second column is how it is called. */
static void record(
    struct request *rq, enum audit_kind kind, const struct rows *rows, const char *details)
{
	if (rows->fate == DONE && rows->count > 0)
		audit(rq, kind, .subject = rows_text(rows, 0, 1), .details = details);
}

/* The secret comes from here alone: the database has never seen it. */
static int tell_secret(struct request *rq, int status, const struct rows *rows, const char *secret)
{
	if (rows->fate != DONE || rows->count == 0)
		return reply_row(rq, rows);
	return reply_struct_as(rq, status,
	    &(struct created_client){ .id = rows_integer(rows, 0, 0),
		.client_id = rows_text(rows, 0, 1),
		.secret = secret,
		.name = rows_text(rows, 0, 2),
		.user_id = rows_integer(rows, 0, 3),
		.username = rows_text(rows, 0, 4),
		.role = rows_text(rows, 0, 5),
		.scope = rows_text(rows, 0, 6),
		.refresh = rows_text(rows, 0, 7)[0] == 't',
		.version = rows_integer(rows, 0, 8) });
}

int create_client(struct request *rq)
{
	const struct new_client *in = input(rq);
	const char *secret = secret_make(request_arena(rq));
	const struct rows *made = query(rq,
	    "WITH c AS (INSERT INTO api_clients (name, user_id, role, scope, refresh, secret_hash)"
	    " SELECT $1, id, $3, $4, $5, $6::bytea FROM users WHERE id = $2 RETURNING *)"
	    " SELECT " COLUMNS " FROM c JOIN users u ON u.id = c.user_id",
	    in->name, in->user_id != 0 ? in->user_id : user_id(rq), in->role, in->scope,
	    in->refresh, secret_digest(request_arena(rq), secret));

	if (made->fate == DONE && made->count == 0)
		return reply_fault(rq, "user_id", "is no user");
	record(rq, AUDIT_CLIENT_CREATED, made, audit_detail(rq, "name", in->name));
	if (made->fate == DONE)
		reply_location(
		    rq, arena_print(request_arena(rq), "/api/clients/%s", rows_text(made, 0, 0)));
	return tell_secret(rq, 201, made, secret);
}

/* A change of nothing raises no version (RFC 5789 leaves that to us). */
int change_client(struct request *rq)
{
	const struct rows *changed;

	if (!given_any(rq))
		return read_client(rq);
	changed = query(rq,
	    "WITH c AS (UPDATE api_clients SET name = coalesce($2, name),"
	    " role = coalesce($3, role), scope = coalesce($4, scope),"
	    " refresh = coalesce($5, refresh), version = version + 1, updated_at = now()"
	    " WHERE id = $1 RETURNING *)"
	    " SELECT " COLUMNS " FROM c JOIN users u ON u.id = c.user_id",
	    path_id(rq), given(rq, struct new_client, name), given(rq, struct new_client, role),
	    given(rq, struct new_client, scope), given(rq, struct new_client, refresh));
	record(rq, AUDIT_CLIENT_CHANGED, changed, NULL);
	return reply_row(rq, changed);
}

/* Whoever has the old secret may have tokens made with it: those that can be refreshed end. */
int renew_secret(struct request *rq)
{
	const char *secret = secret_make(request_arena(rq));
	const struct rows *changed = query(rq,
	    "WITH c AS (UPDATE api_clients SET secret_hash = $2::bytea, version = version + 1,"
	    " updated_at = now() WHERE id = $1 RETURNING *),"
	    " ended AS (UPDATE token_families SET revoked_at = now()"
	    " WHERE client_id = $1 AND revoked_at IS NULL)"
	    " SELECT " COLUMNS " FROM c JOIN users u ON u.id = c.user_id",
	    path_id(rq), secret_digest(request_arena(rq), secret));

	record(rq, AUDIT_CLIENT_CHANGED, changed, audit_detail(rq, "changed", "secret"));
	return tell_secret(rq, 200, changed, secret);
}

int delete_client(struct request *rq)
{
	const struct rows *gone = query(
	    rq, "DELETE FROM api_clients WHERE id = $1 RETURNING id, client_id", path_id(rq));

	record(rq, AUDIT_CLIENT_DELETED, gone, NULL);
	return reply_done(rq, gone);
}
