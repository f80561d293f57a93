/* once.c - Idempotency-Key: what is to be created once is created once. */
#include "core/journey/once.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "core/answer/problem.h"
#include "core/input/faults.h"
#include "core/journey/once_key.h"
#include "core/journey/transact.h"

#define HEADER "Idempotency-Key"

/* A request that is still running is soon done: most take milliseconds. */
#define WHILE_RUNNING "1"

/* How many answers that are out of date each new one takes with it: more than it adds. */
#define SWEEP "10"

struct once {
	const char *key;
	struct digest *digest; /* of method, target and body; NULL once it is text */
	char fingerprint[DIGEST_TEXT];
	read_body_fn *read_body; /* where the body comes from */
	void *connection;
};

/* --- the fingerprint --- */

/* A read_body_fn between the body's source and whoever reads it. */
static size_t read_and_digest(void *connection, char *bytes, size_t room)
{
	struct once *once = connection;
	size_t got = once->read_body(once->connection, bytes, room);

	digest_add(once->digest, bytes, got);
	return got;
}

static const char *fingerprint(struct once *once)
{
	if (once->digest != NULL)
		digest_end(once->digest, once->fingerprint);
	once->digest = NULL;
	return once->fingerprint;
}

int stage_once(struct request *rq)
{
	struct once *once;

	if (rq->head.idempotency_key == NULL || !route_creates(rq->route))
		return 0;
	once = arena_alloc(rq->arena, sizeof(*once));
	once->key = once_key(rq->arena, rq->head.idempotency_key);
	if (once->key == NULL)
		return reply_problem(rq, 400,
		    HEADER " must have 1 to %d visible ASCII characters, in quotes or not.",
		    ONCE_KEY_MOST);
	once->digest = digest_new(rq->arena);
	digest_add(once->digest, method_name(rq->method), strlen(method_name(rq->method)) + 1);
	digest_add(once->digest, rq->head.uri, strlen(rq->head.uri) + 1);
	once->read_body = rq->read_body;
	once->connection = rq->connection;
	rq->read_body = read_and_digest;
	rq->connection = once;
	rq->once = once;
	return 0;
}

/* --- asking for the first answer --- */

/*
 * Two statements, since the second must see what was committed before the first
 * got the lock: within one they would share a snapshot that may be older.
 */
static const struct rows *find(struct request *rq, const struct rows **lock)
{
	*lock = transact_add(
	    rq, STATEMENT("SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1))", rq->user_id,
		    rq->once->key));
	return query(rq,
	    "SELECT fingerprint, status, media, etag, lines, body FROM idempotency"
	    " WHERE user_id = $1 AND key = $2 AND made_at > now() - make_interval(secs => $3)",
	    rq->user_id, rq->once->key, rq->app->idempotency_seconds);
}

static int replay(struct request *rq, const struct rows *rows)
{
	struct response *response = &rq->response;
	const char *lines = rows_text(rows, 0, 4);

	response->status = (int)strtol(rows_text(rows, 0, 1), NULL, 10);
	response->media = rows_text(rows, 0, 2);
	response->etag = rows_text(rows, 0, 3);
	buffer_add_text(&response->lines, lines);
	reply_header(rq, "Idempotency-Replayed", "true");
	buffer_add(&response->body, rows_text(rows, 0, 5), (size_t)rows_length(rows, 0, 5));
	return response->status;
}

int once_claim(struct request *rq)
{
	const struct rows *lock, *kept = find(rq, &lock);

	if (rq->failure != DONE)
		return problem_of_failure(rq);
	if (rows_text(lock, 0, 0)[0] != 't') {
		reply_header(rq, "Retry-After", WHILE_RUNNING);
		return reply_problem(
		    rq, 409, "The first request with this " HEADER " is not answered yet.");
	}
	if (kept->count == 0)
		return 0;
	if (strcmp(rows_text(kept, 0, 0), fingerprint(rq->once)) == 0)
		return replay(rq, kept);
	fault_add(rq, IN_HEADER, &(struct step){ .name = HEADER },
	    "was sent before with another request");
	return reply_problem(rq, 422, "This " HEADER " belongs to another request.");
}

/* --- storing it --- */

void once_store(struct request *rq, size_t lines)
{
	const struct response *response = &rq->response;
	const char *own = arena_copy(
	    rq->arena, response->lines.data + lines, response->lines.length - lines);
	const char *body = arena_copy(rq->arena, response->body.data, response->body.length);

	/* An answer that is out of date may stand there still. */
	transact_add(
	    rq, STATEMENT(
		    "INSERT INTO idempotency"
		    " (user_id, key, fingerprint, status, media, etag, lines, body)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		    " ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
		    " status = excluded.status, media = excluded.media, etag = excluded.etag,"
		    " lines = excluded.lines, body = excluded.body, made_at = now()",
		    rq->user_id, rq->once->key, fingerprint(rq->once), response->status,
		    response->media, response->etag, own, body));
	transact_add(rq, STATEMENT("DELETE FROM idempotency WHERE ctid = ANY (ARRAY("
				   "SELECT ctid FROM idempotency"
				   " WHERE made_at < now() - make_interval(secs => $1)"
				   " ORDER BY made_at LIMIT " SWEEP " FOR UPDATE SKIP LOCKED))",
			     rq->app->idempotency_seconds));
}
