/*
 * multipart.c - a multipart/form-data body, read part by part as it arrives.
 *
 * A part ends where CRLF, two hyphens and the boundary follow.  They may begin
 * in one piece that the source gives and end in the next, so the last bytes of
 * the window, one fewer than that, stay until more have come.
 */
#include "core/input/multipart.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "core/input/media.h"

#define WINDOW        (32 << 10)
#define HEAD_MOST     4096 /* bytes of a line of a part's head */
#define LINES_MOST    16   /* of such a head */
#define BOUNDARY_MOST 70   /* RFC 2046, section 5.1.1 */

struct multipart {
	struct arena *arena;
	read_body_fn *read;
	void *connection;
	char delimiter[4 + BOUNDARY_MOST];
	size_t delimiter_length;
	char *window; /* WINDOW bytes, of which start to end are read and not used */
	size_t start, end;
	bool in_part; /* the delimiter behind it was not met yet */
	const char *wrong;
};

static bool boundary_is_valid(const char *boundary, size_t length)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz'()+_,-./:=? ";

	return length > 0 && length <= BOUNDARY_MOST && strspn(boundary, letters) >= length &&
	       boundary[length - 1] != ' ';
}

struct multipart *multipart_open(
    struct arena *arena, const char *content_type, read_body_fn *read, void *connection)
{
	size_t length = 0;
	const char *boundary = media_parameter(content_type, "boundary", &length);
	struct multipart *m;

	if (boundary == NULL || !boundary_is_valid(boundary, length))
		return NULL;
	m = arena_alloc(arena, sizeof(*m));
	*m = (struct multipart){ .arena = arena, .read = read, .connection = connection };
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, length);
	m->delimiter_length = 4 + length;
	m->window = arena_alloc(arena, WINDOW);
	/* The first delimiter has no line before it: so it gets one.  What precedes it is no part.
	 */
	memcpy(m->window, "\r\n", 2);
	m->end = 2;
	m->in_part = true;
	return m;
}

const char *multipart_wrong(const struct multipart *m)
{
	return m->wrong;
}

/* Reads more behind what is in the window.  False: there is no more, or no room. */
static bool fill(struct multipart *m)
{
	size_t got;

	if (m->start > 0) {
		memmove(m->window, m->window + m->start, m->end - m->start);
		m->end -= m->start;
		m->start = 0;
	}
	if (m->end == WINDOW)
		return false;
	got = m->read(m->connection, m->window + m->end, WINDOW - m->end);
	m->end += got;
	return got > 0;
}

static bool fail(struct multipart *m, const char *wrong)
{
	m->wrong = wrong;
	m->in_part = false;
	return false;
}

/* --- the content of a part --- */

static size_t use(struct multipart *m, size_t length)
{
	m->start += length;
	return length;
}

size_t multipart_read(struct multipart *m, const char **bytes)
{
	const size_t kept = m->delimiter_length - 1;

	while (m->in_part) {
		size_t length = m->end - m->start;
		const char *found;

		*bytes = m->window + m->start;
		found = memmem(*bytes, length, m->delimiter, m->delimiter_length);
		if (found == *bytes) {
			use(m, m->delimiter_length);
			m->in_part = false;
		} else if (found != NULL) {
			return use(m, (size_t)(found - *bytes));
		} else if (length > kept) {
			return use(m, length - kept);
		} else if (!fill(m)) {
			fail(m, "ends in the middle of a part.");
		}
	}
	return 0;
}

/* --- the head of a part --- */

/* The next line without its CRLF, NUL-terminated, good until the next call.  NULL: there is none.
 */
static char *read_line(struct multipart *m)
{
	for (;;) {
		char *line = m->window + m->start;
		size_t length = m->end - m->start;
		char *end = memmem(line, length, "\r\n", 2);

		if (end != NULL && end - line <= HEAD_MOST) {
			*end = '\0';
			use(m, (size_t)(end - line) + 2);
			/* A NUL would end the line too soon, and hide what follows it. */
			return strlen(line) == (size_t)(end - line) ? line : NULL;
		}
		if (length > HEAD_MOST || !fill(m))
			return NULL;
	}
}

static const char *copy_parameter(const struct multipart *m, const char *line, const char *name)
{
	size_t length;
	const char *value = media_parameter(line, name, &length);

	return value != NULL ? arena_copy(m->arena, value, length) : NULL;
}

/* "text/csv; charset=utf-8" as "text/csv". */
static const char *copy_media(const struct multipart *m, const char *value)
{
	char *copy = arena_copy(m->arena, value, strcspn(value, "; \t"));

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Takes what a line of the head says; lines that mean nothing here are passed over. */
static bool take_line(struct multipart *m, char *line, struct part *part)
{
	char *value = strchr(line, ':');

	if (value == NULL)
		return false;
	*value++ = '\0';
	value += strspn(value, " \t");
	if (strcasecmp(line, "Content-Type") == 0)
		part->media = copy_media(m, value);
	if (strcasecmp(line, "Content-Disposition") != 0)
		return true;
	if (!media_is(value, "form-data"))
		return false;
	part->name = copy_parameter(m, value, "name");
	part->filename = copy_parameter(m, value, "filename");
	return true;
}

static bool is_utf8(const char *text)
{
	return text_code_points(text, strlen(text)) >= 0;
}

/* Name and type may come back in an answer, which is JSON.  A file's name is its field's fault. */
static bool head_is_good(struct multipart *m, const struct part *part)
{
	if (part->name == NULL)
		return fail(m, "has a part without a name.");
	if (!is_utf8(part->name) || (part->media != NULL && !is_utf8(part->media)))
		return fail(m, "has a part whose head is no UTF-8.");
	return true;
}

static bool read_head(struct multipart *m, struct part *part)
{
	char *line;

	for (int lines = 0; lines < LINES_MOST; lines++) {
		line = read_line(m);
		if (line == NULL || (line[0] != '\0' && !take_line(m, line, part)))
			break;
		if (line[0] == '\0')
			return head_is_good(m, part);
	}
	return fail(m, "has a part with a broken head.");
}

/* Behind the last delimiter is nothing of use: read, so that whoever counts has all bytes. */
static bool read_epilogue(struct multipart *m)
{
	do
		m->start = m->end;
	while (fill(m));
	return false;
}

bool multipart_next(struct multipart *m, struct part *part)
{
	const char *rest;
	char *line;

	*part = (struct part){ 0 };
	while (multipart_read(m, &rest) > 0)
		continue;
	if (m->wrong != NULL)
		return false;
	while (m->end - m->start < 2)
		if (!fill(m))
			return fail(m, "ends in the middle of a part.");
	if (memcmp(m->window + m->start, "--", 2) == 0)
		return read_epilogue(m);
	line = read_line(m);
	/* Blanks may stand behind a delimiter, nothing else. */
	if (line == NULL || line[strspn(line, " \t")] != '\0')
		return fail(m, "has something behind a boundary.");
	if (!read_head(m, part))
		return false;
	m->in_part = true;
	return true;
}
