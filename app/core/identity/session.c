/* session.c - who has signed in: an id in a cookie, a row in PostgreSQL, a copy in Redis. */
#include "core/identity/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/answer/problem.h"
#include "core/identity/cookie.h"
#include "core/identity/role.h"
#include "core/journey/network.h"

/*
 * A copy is made anew after so long, for what no drop has told of: a row that somebody has
 * removed by hand.  The statement that makes it anew also notes that the session is used,
 * which so costs one change a minute at most.
 */
#define COPY_SECONDS 30

/* What is kept of a browser's own name. */
#define AGENT_MOST 200

#define ID_BYTES 32

/* --- names --- */

/* __Host- holds a browser to Secure and Path=/, so that no other host can set it (RFC 6265bis). */
static const char *cookie_name(const struct request *rq)
{
	return rq->head.https != NULL ? "__Host-sid" : "sid";
}

static const struct session *session_of(struct arena *arena, const unsigned char *hash)
{
	struct session *session = arena_alloc(arena, sizeof(*session));

	memcpy(session->hash, hash, sizeof(session->hash));
	session->key = arena_print(
	    arena, "session:%s", base64url_write(arena, hash, sizeof(session->hash)));
	return session;
}

const struct session *session_named(struct request *rq)
{
	const char *value = cookie_find(rq->arena, rq->head.cookie, cookie_name(rq));
	unsigned char id[ID_BYTES], hash[DIGEST_BYTES];

	if (value == NULL || !base64url_read(value, id, sizeof(id)))
		return NULL;
	digest_of(id, sizeof(id), hash);
	return session_of(rq->arena, hash);
}

bool session_is_malformed(struct request *rq)
{
	const char *value = cookie_find(rq->arena, rq->head.cookie, cookie_name(rq));
	unsigned char id[ID_BYTES];

	/* An empty one is what is left of a sign-out. */
	return value != NULL && *value != '\0' && !base64url_read(value, id, sizeof(id));
}

/* As PostgreSQL reads a bytea. */
static const char *hash_as_sql(struct arena *arena, const struct session *session)
{
	return session == NULL ? NULL
			       : arena_print(arena, "\\x%s",
				     hex_write(arena, session->hash, sizeof(session->hash)));
}

/* --- finding --- */

/* "5 3 1790000000 ana": id, role, the second in which it ends, and the name up to the end. */
static bool read_copy(struct request *rq, const struct session *session, const struct cached *found)
{
	const char *text = arena_copy(rq->arena, found->text, found->length);
	char *end;
	long long user = strtoll(text, &end, 10);
	long role = strtol(end, &end, 10);
	long long expires_at = strtoll(end, &end, 10);

	if (user <= 0 || role < SIGNED_IN || role > ADMIN || *end != ' ' ||
	    expires_at <= clock_wall() / SECOND_US)
		return false;
	rq->user_id = user;
	rq->role = (enum access)role;
	rq->username = end + 1;
	rq->session = session;
	return true;
}

/* Another value may be served beyond its time while somebody renews it: not who may what. */
bool session_hear(struct request *rq, const struct session *session, struct cached *copy,
    const struct redis_reply *reply)
{
	cache_hear(rq->app->cache, rq->arena, copy, reply);
	return copy->text != NULL && copy->age_ms <= 0 && read_copy(rq, session, copy);
}

/*
 * It is there, neither too old nor unused for too long; that it is used is noted in the same
 * statement.  Its end is the earlier of both, so that the copy needs one.
 */
static const struct rows *read_row(struct request *rq, const struct session *session)
{
	return query(rq,
	    "WITH found AS (SELECT id_hash, user_id, expires_at, seen_at FROM sessions"
	    "  WHERE id_hash = $1::bytea AND expires_at > now()"
	    "  AND seen_at > now() - make_interval(secs => $2)),"
	    " used AS (UPDATE sessions SET seen_at = now() FROM found WHERE"
	    "  sessions.id_hash = found.id_hash AND found.seen_at < now() - interval '1 minute')"
	    " SELECT user_id, role, username, extract(epoch FROM expires_at)::bigint"
	    " FROM found JOIN users ON users.id = user_id",
	    hash_as_sql(rq->arena, session), rq->app->sessions.idle);
}

static void keep_copy(struct request *rq, const struct rows *rows, const struct cached *lease)
{
	struct buffer copy;

	buffer_start(&copy, rq->arena, 128);
	buffer_print(&copy, "%s %d %s %s", rows_text(rows, 0, 0),
	    role_from_name(rows_text(rows, 0, 1)), rows_text(rows, 0, 3), rows_text(rows, 0, 2));
	cache_put(rq->app->cache, lease, &copy, COPY_SECONDS);
}

int session_read(struct request *rq, const struct session *session, struct cached *copy)
{
	const struct rows *rows = read_row(rq, session);

	if (rows->fate != DONE || rows->count == 0) {
		cache_release(rq->app->cache, rq->arena, copy);
		return rows->fate != DONE ? problem_of_failure(rq) : 0;
	}
	keep_copy(rq, rows, copy);
	rq->user_id = rows_integer(rows, 0, 0);
	rq->role = role_from_name(rows_text(rows, 0, 1));
	rq->username = rows_text(rows, 0, 2);
	rq->session = session;
	return 0;
}

/* --- beginning and ending --- */

static void set_cookie(struct request *rq, const char *value, long long seconds)
{
	reply_header(rq, "Set-Cookie",
	    arena_print(rq->arena, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
		cookie_name(rq), value, seconds, rq->head.https != NULL ? "; Secure" : ""));
}

/* It is shown to people, and may be anything: what is not plain ASCII is left out. */
static const char *agent_of(struct request *rq)
{
	const char *text = rq->head.user_agent != NULL ? rq->head.user_agent : "";
	struct buffer agent;

	buffer_start(&agent, rq->arena, AGENT_MOST + 1);
	for (; *text != '\0' && agent.length < AGENT_MOST; text++)
		if (*text >= ' ' && *text <= '~')
			buffer_add_char(&agent, *text);
	buffer_add_char(&agent, '\0');
	return agent.data;
}

/*
 * The one before it ends in the same statement: an id that somebody may have planted in a
 * browser is good for nothing once its owner signs in.
 */
static const struct rows *add_row(
    struct request *rq, const struct session *session, long long user, const char *password_hash)
{
	const struct session *before = session_named(rq);

	if (before != NULL)
		cache_drop(rq, before->key);
	return query(rq,
	    "WITH before AS (DELETE FROM sessions WHERE id_hash = $7::bytea)"
	    " INSERT INTO sessions (id_hash, user_id, expires_at, address, agent)"
	    " SELECT $1::bytea, id, now() + make_interval(secs => $3), $4::inet, nullif($5, '') "
	    "FROM users"
	    " WHERE id = $2 AND ($6::text IS NULL OR password_hash = $6) RETURNING user_id",
	    hash_as_sql(rq->arena, session), user, rq->app->sessions.life,
	    network_address(rq->head.remote_address), agent_of(rq), password_hash,
	    hash_as_sql(rq->arena, before));
}

/* Copies of sessions whose hashes are in the first column. */
static void drop_copies(struct request *rq, const struct rows *rows)
{
	for (int i = 0; rows->fate == DONE && i < rows->count; i++) {
		unsigned char hash[DIGEST_BYTES];

		if (hex_read(rows_text(rows, i, 0), hash, sizeof(hash)))
			cache_drop(rq, session_of(rq->arena, hash)->key);
	}
}

#define HASH "encode(id_hash, 'hex')"

/* Nobody has so many browsers: whoever signs in by a script again and again forgets the oldest. */
static void end_oldest(struct request *rq, long long user)
{
	drop_copies(rq, query(rq,
			    "DELETE FROM sessions WHERE id_hash IN (SELECT id_hash FROM sessions"
			    " WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2)"
			    " RETURNING " HASH,
			    user, SESSIONS_MOST));
}

bool session_start(struct request *rq, long long user, const char *password_hash)
{
	unsigned char id[ID_BYTES], hash[DIGEST_BYTES];
	const struct rows *rows;

	random_fill(id, sizeof(id));
	digest_of(id, sizeof(id), hash);
	rows = add_row(rq, session_of(rq->arena, hash), user, password_hash);
	if (rows->fate != DONE)
		return true;
	if (rows->count == 0)
		return false;
	set_cookie(
	    rq, base64url_write(rq->arena, id, sizeof(id)), (long long)rq->app->sessions.life);
	end_oldest(rq, user);
	return true;
}

long long session_end(struct request *rq)
{
	const struct session *session = session_named(rq);
	const struct rows *rows;

	set_cookie(rq, "", 0);
	if (session == NULL)
		return 0;
	rows = query(rq, "DELETE FROM sessions WHERE id_hash = $1::bytea RETURNING user_id",
	    hash_as_sql(rq->arena, session));
	cache_drop(rq, session->key);
	return rows->fate == DONE && rows->count > 0 ? rows_integer(rows, 0, 0) : 0;
}

/* --- many at once --- */

void sessions_end_all(struct request *rq, long long user)
{
	drop_copies(rq, query(rq, "DELETE FROM sessions WHERE user_id = $1 RETURNING " HASH, user));
}

void sessions_changed(struct request *rq, long long user)
{
	drop_copies(rq, query(rq, "SELECT " HASH " FROM sessions WHERE user_id = $1", user));
}

const struct rows *session_end_one(struct request *rq, long long user, const char *id)
{
	unsigned char hash[DIGEST_BYTES];
	const struct session *session;

	/* Of another form it is nobody's, as is a hash of zeros. */
	if (!base64url_read(id, hash, sizeof(hash)))
		bytes_forget(hash, sizeof(hash));
	session = session_of(rq->arena, hash);
	cache_drop(rq, session->key);
	return query(rq,
	    "DELETE FROM sessions WHERE id_hash = $1::bytea AND user_id = $2 RETURNING user_id",
	    hash_as_sql(rq->arena, session), user);
}

#define NOT_OVER "expires_at > now() AND seen_at > now() - make_interval(secs => $1)"

const struct rows *sessions_of(struct request *rq)
{
	return query(rq,
	    "SELECT translate(encode(id_hash, 'base64'), '+/=', '-_') AS id,"
	    " id_hash IS NOT DISTINCT FROM $3::bytea AS current,"
	    " created_at, seen_at, expires_at, host(address) AS address, agent FROM sessions"
	    " WHERE user_id = $2 AND " NOT_OVER " ORDER BY created_at DESC, id LIMIT $4",
	    rq->app->sessions.idle, rq->user_id, hash_as_sql(rq->arena, rq->session),
	    SESSIONS_MOST);
}

void sessions_sweep(struct request *rq)
{
	query(rq, "DELETE FROM sessions WHERE NOT (" NOT_OVER ")", rq->app->sessions.idle);
}
