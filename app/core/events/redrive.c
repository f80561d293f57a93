/*
 * redrive.c - dead letters go to the broker once more.
 *
 * Whatever was wrong (a product that was unknown, a program that was too old) has been
 * mended, so they are published as they came.  A letter is marked when the broker
 * has it; should we die in between it goes out twice, which has no effect.
 */
#include "core/events/redrive.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/events/batch.h"
#include "store/array.h"

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The bytes of PostgreSQL's hexadecimal text.  A line break means nothing in JSON, but ends a
 * message. */
static char *read_hex(struct arena *arena, const char *hex, size_t length)
{
	char *bytes = arena_alloc(arena, length / 2 + 1);

	for (size_t i = 0; i + 1 < length; i += 2) {
		char byte = (char)(digit(hex[i]) << 4 | digit(hex[i + 1]));

		bytes[i / 2] = byte == '\n' ? ' ' : byte;
	}
	return bytes;
}

/* Into the partition of its key, if it has one: then its user's events keep their order. */
static struct broker_message message_of(
    struct request *rq, const struct event_kind *kind, const char *hex, size_t length)
{
	struct broker_message message = {
		.key = "", .body = read_hex(rq->arena, hex, length), .length = length / 2
	};
	const char *wrong;
	const char *event = event_bind(rq, kind, message.body, message.length, &wrong);

	if (event != NULL)
		message.key = *(const char *const *)(event + kind->key);
	return message;
}

/* The next letters behind id *BEHIND, up to UNTIL.  How many; -1: it failed. */
static long long redrive_some(struct application *app, const struct event_kind *kind,
    struct request *rq, long long *behind, long long until)
{
	struct rows *rows = db_run(app->db, rq->arena,
	    STATEMENT("SELECT id, encode(body, 'hex') FROM event_dead WHERE stream = $1"
		      " AND redriven_at IS NULL AND id > $2 AND id <= $3 ORDER BY id LIMIT 100",
		kind->name, *behind, until));
	struct broker_message *messages;
	struct array ids;

	request_hold(rq, rows);
	if (rows->fate != DONE || rows->count == 0)
		return rows->fate == DONE ? 0 : -1;
	messages = arena_alloc(rq->arena, (size_t)rows->count * sizeof(*messages));
	array_start(&ids, rq->arena);
	for (int i = 0; i < rows->count; i++) {
		*behind = rows_integer(rows, i, 0);
		array_add_integer(&ids, *behind);
		messages[i] = message_of(
		    rq, kind, rows_text(rows, i, 1), (size_t)rows_length(rows, i, 1));
	}
	if (!broker_publish(
		outlets_of(app->outlets, kind), rq->arena, messages, (size_t)rows->count)) {
		log_error("the broker does not take the dead letters");
		return -1;
	}
	request_hold(rq, db_run(app->db, rq->arena,
			     STATEMENT("UPDATE event_dead SET redriven_at = now()"
				       " WHERE id = ANY ($1::bigint[])",
				 array_end(&ids))));
	return rows->count;
}

static long long newest(struct application *app, const struct event_kind *kind, struct request *rq)
{
	struct rows *rows = db_run(app->db, rq->arena,
	    STATEMENT("SELECT max(id) FROM event_dead WHERE stream = $1", kind->name));

	request_hold(rq, rows);
	return rows->fate == DONE ? rows_integer(rows, 0, 0) : -1;
}

long long redrive_run(struct application *app, const struct event_kind *kind)
{
	struct arena *arena = arena_new(1 << 20);
	struct request *rq = request_new(app, arena);
	long long until = newest(app, kind, rq), behind = 0, sum = 0, some = until < 0 ? -1 : 1;

	while (some > 0) {
		request_end(rq);
		arena_reset(arena);
		rq = request_new(app, arena);
		some = redrive_some(app, kind, rq, &behind, until);
		sum += some > 0 ? some : 0;
	}
	request_end(rq);
	arena_free(&arena);
	return some < 0 ? -1 : sum;
}
