/*
 * raw_body.c - a body that is one file and nothing else, streamed to disk.
 *
 * The simplest way to send a file by hand (curl -T): no form, no boundary, no
 * name.  What is not stored is not kept in memory either: a chunk at a time.
 */
#include "core/input/raw_body.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "core/answer/problem.h"
#include "core/input/uploads.h"

#define CHUNK (64 << 10)

static const struct field *file_of(const struct shape *shape)
{
	EACH_FIELD (field, shape)
		if (field->kind == UPLOAD)
			return field;
	bug("a raw body without a file"); /* shapes_check_route has seen to that */
}

/* Copies the body into FD.  The bytes that came; -1: they could not be stored. */
static long long store(struct request *rq, int fd, long long most)
{
	char *chunk = arena_alloc(rq->arena, CHUNK);
	long long size = 0;
	size_t got;

	while (size <= most && (got = rq->read_body(rq->connection, chunk, CHUNK)) > 0) {
		size += (long long)got;
		if (size <= most && !uploads_write(fd, chunk, got))
			return -1;
	}
	return size;
}

int raw_body_bind(struct request *rq, const struct target *target)
{
	const struct field *field = file_of(target->shape);
	struct upload *upload = (struct upload *)((char *)target->object + field->offset);
	int fd = uploads_open(rq);
	long long said = 0, size;

	if (rq->head.content_length == NULL || !text_to_integer(rq->head.content_length, &said))
		return reply_problem(rq, 411, "Say by Content-Length how long the file is.");
	size = fd >= 0 ? store(rq, fd, field->max) : -1;
	if (size < 0)
		return reply_problem(rq, 503, "The file cannot be stored just now.");
	if (size > field->max)
		return reply_problem(rq, 413, "The file is larger than %lld bytes.", field->max);
	if (size != said)
		return reply_problem(rq, 400, "The body is not as long as Content-Length says.");
	lseek(fd, 0, SEEK_SET);
	(void)object_claim(rq, target, field->name);
	*upload = (struct upload){ "", rq->route->raw, size, fd };
	if (size < field->min)
		fault_add(rq, IN_BODY, NULL,
		    arena_print(rq->arena, "must have at least %lld bytes", field->min));
	return 0;
}
