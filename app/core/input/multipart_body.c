/*
 * multipart_body.c - a multipart/form-data body bound to a shape, its files streamed to disk.
 *
 * Texts are bound as those of a urlencoded form are.  A file that is too large
 * or of a wrong type is read to its end and not stored, so that what else is
 * wrong with the form can be said at once.
 */
#include "core/input/multipart_body.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "core/answer/problem.h"
#include "core/input/multipart.h"
#include "core/input/pairs.h"
#include "core/input/uploads.h"

/* More than any form has fields; each costs a search by name. */
#define PARTS_MOST 1000

#define NAME_MOST 255 /* bytes of a file's name, as most file systems have it */

struct form {
	struct request *rq;
	const struct target *target;
	struct multipart *body;
	size_t text_left; /* bytes that all texts together may still have */
};

static void complain(const struct form *form, const struct field *field, const char *detail)
{
	fault_add(
	    form->rq, form->target->in, &(struct step){ form->target->at, field->name, 0 }, detail);
}

/* --- texts --- */

static int take_text(struct form *form, const struct field *field)
{
	struct buffer text;
	const char *bytes;
	size_t length;

	buffer_start(&text, form->rq->arena, 256);
	while ((length = multipart_read(form->body, &bytes)) > 0) {
		if (length > form->text_left)
			return reply_problem(form->rq, 413,
			    "The texts of the form are larger than %zu bytes.",
			    form->rq->app->body_limit);
		form->text_left -= length;
		buffer_add(&text, bytes, length);
	}
	length = text.length;
	buffer_add_char(&text, '\0');
	if (strlen(text.data) != length || text_code_points(text.data, length) < 0)
		complain(form, field, "must be valid UTF-8 without NUL");
	else
		pairs_bind_text(form->rq, form->target, field, text.data);
	return 0;
}

/* --- files --- */

/*
 * A name is what a person sees, and may become part of a path: it has neither a
 * separator of any system nor anything that a terminal or a header would take
 * for more than a letter.
 */
static bool name_is_harmless(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MOST || text_code_points(name, length) < 0 ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const unsigned char *c = (const unsigned char *)name; *c != '\0'; c++)
		if (*c < 0x20 || *c == 0x7F || *c == '/' || *c == '\\')
			return false;
	return true;
}

/* What is wrong with a file before a byte of it was read; NULL: nothing. */
static const char *check_head(
    struct arena *arena, const struct field *field, const struct part *part, const char *media)
{
	struct buffer list;

	if (part->filename == NULL)
		return "must be a file";
	if (!name_is_harmless(part->filename))
		return "must have a file name without a path";
	if (field->one_of == NULL || text_index(media, field->one_of) >= 0)
		return NULL;
	buffer_start(&list, arena, 64);
	buffer_add_text(&list, "must be of the type ");
	buffer_add_words(&list, field->one_of, " or ");
	buffer_add_char(&list, '\0');
	return list.data;
}

/* Streams the part into FD, -1: nowhere, and counts its bytes into SIZE.  False: no room. */
static bool store(struct form *form, const struct field *field, int fd, long long *size)
{
	const char *bytes;
	size_t length;

	while ((length = multipart_read(form->body, &bytes)) > 0) {
		*size += (long long)length;
		if (fd < 0 || (field->max > 0 && *size > field->max))
			continue;
		if (!uploads_write(fd, bytes, length))
			return false;
	}
	return true;
}

static void check_size(struct form *form, const struct field *field, long long size)
{
	struct arena *arena = form->rq->arena;

	if (field->max > 0 && size > field->max)
		complain(
		    form, field, arena_print(arena, "must have at most %lld bytes", field->max));
	else if (size < field->min)
		complain(
		    form, field, arena_print(arena, "must have at least %lld bytes", field->min));
}

static int take_file(struct form *form, const struct field *field, const struct part *part)
{
	struct upload *upload = (struct upload *)((char *)form->target->object + field->offset);
	const char *media = part->media != NULL ? part->media : "application/octet-stream";
	const char *wrong = check_head(form->rq->arena, field, part, media);
	long long size = 0;
	int fd = wrong == NULL ? uploads_open(form->rq) : -1;

	if ((wrong == NULL && fd < 0) || !store(form, field, fd, &size))
		return reply_problem(form->rq, 503, "A file cannot be stored just now.");
	/* What a browser sends of a file field in which nobody has chosen a file. */
	if (part->filename != NULL && part->filename[0] == '\0' && size == 0) {
		object_unclaim(form->target, field);
		return 0;
	}
	if (wrong != NULL) {
		complain(form, field, wrong);
		return 0;
	}
	check_size(form, field, size);
	lseek(fd, 0, SEEK_SET);
	*upload = (struct upload){ part->filename, media, size, fd };
	return 0;
}

/* --- the whole form --- */

static int take_part(struct form *form, const struct part *part)
{
	const struct field *field = object_claim(form->rq, form->target, part->name);

	/* A part that is nobody's is passed over by the next one. */
	if (field == NULL)
		return 0;
	return field->kind == UPLOAD ? take_file(form, field, part) : take_text(form, field);
}

int multipart_body_bind(struct request *rq, const struct target *target)
{
	struct form form = { rq, target,
		multipart_open(rq->arena, rq->head.content_type, rq->read_body, rq->connection),
		rq->app->body_limit };
	struct part part;
	int answered = 0, count = 0;

	if (form.body == NULL)
		return reply_problem(rq, 400, "Content-Type says no boundary that can be.");
	while (answered == 0 && multipart_next(form.body, &part)) {
		if (++count > PARTS_MOST)
			return reply_problem(
			    rq, 400, "The form has more than %d parts.", PARTS_MOST);
		answered = take_part(&form, &part);
	}
	if (answered != 0)
		return answered;
	if (multipart_wrong(form.body) != NULL)
		return reply_problem(rq, 400, "The form %s", multipart_wrong(form.body));
	pairs_end(rq, target);
	return 0;
}
