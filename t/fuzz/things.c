/* things.c - the feature of the fuzzed world: a field of every kind, a route of every way in. */
#include "t/fuzz/things.h"

#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "core/input/arrays.h"
#include "core/input/cursor.h"
#include "t/fuzz/world.h"

struct part {
	const char *name;
	long long size;
};
struct thing {
	const char *text, *colour, *code, *time, *date, *month, *uuid, *email, *url, *money;
	long long integer;
	double number;
	bool boolean;
	struct cursor after;
	const struct part *part;
	struct list parts, words, amounts;
};

struct post {
	const char *title;
	long long pages;
	struct upload file;
	struct list words;
};

static const char *const media[] = { "text/csv", "image/png", NULL };
static const char *const colours[] = { "red", "green", NULL };

/* clang-format off */
static const struct shape part = SHAPE(struct part,
	{ FIELD(struct part, name), .max = 9, .required = true },
	{ FIELD(struct part, size), .preset = "1" });

static const struct shape thing = SHAPE(struct thing,
	{ FIELD(struct thing, text), .min = 1, .max = 20, .required = true },
	{ FIELD(struct thing, colour), .one_of = colours, .preset = "red" },
	{ FIELD(struct thing, code), .pattern = "^([a-z]+)+-[0-9]$" },
	{ FIELD_AS(struct thing, time, TIME), .nullable = true },
	{ FIELD_AS(struct thing, date, DATE) },
	{ FIELD_AS(struct thing, month, MONTH) },
	{ FIELD_AS(struct thing, uuid, UUID) },
	{ FIELD_AS(struct thing, email, EMAIL) },
	{ FIELD_AS(struct thing, url, URL) },
	{ FIELD_AS(struct thing, money, MONEY) },
	{ FIELD(struct thing, integer), .min = -5, .max = 200, .preset = "20" },
	{ FIELD(struct thing, number), .min = 0, .max = 1000 },
	{ FIELD(struct thing, boolean) },
	{ FIELD(struct thing, after) },
	{ FIELD_AS(struct thing, words, TEXT), .max = 5, .many = 4 },
	{ FIELD_AS(struct thing, amounts, MONEY), .least = 1, .many = 3 });

/* In JSON alone there are objects. */
static const struct shape nested = SHAPE_NAMED("struct nested", struct thing,
	{ FIELD(struct thing, text), .min = 1, .max = 20, .required = true },
	{ FIELD(struct thing, colour), .one_of = colours, .preset = "red" },
	{ FIELD(struct thing, integer), .min = -5, .max = 200, .preset = "20", .nullable = true },
	{ FIELD_AS(struct thing, part, OBJECT), .of = &part },
	{ FIELD_AS(struct thing, parts, OBJECT), .of = &part, .many = 3 },
	{ FIELD_AS(struct thing, words, TEXT), .many = 4, .nullable = true },
	{ FIELD_AS(struct thing, amounts, MONEY), .many = 3 });

static const struct shape post = SHAPE(struct post,
	{ FIELD(struct post, title), .max = 20, .required = true },
	{ FIELD(struct post, pages), .min = 1, .max = 9 },
	{ FIELD(struct post, file), .max = 1000, .one_of = media },
	{ FIELD_AS(struct post, words, TEXT), .max = 5, .many = 4 });
/* clang-format on */

static int echo(struct request *rq)
{
	const struct thing *in = input(rq);
	long points = text_code_points(in->text, strlen(in->text));

	HOLDS(points >= 1 && points <= 20);
	HOLDS(text_index(in->colour, colours) >= 0);
	HOLDS(in->integer >= -5 && in->integer <= 200);
	HOLDS(in->number >= 0 && in->number <= 1000);
	rq->response.etag = "\"7\"";
	return reply_struct(rq, in);
}

/* A page that has a next one: its Link repeats what the client wrote. */
static int page(struct request *rq)
{
	const struct thing *in = input(rq);

	rq->response.next = cursor_encode(
	    rq->arena, &(struct cursor){ .time = "2026-01-31T23:59:59Z", .id = in->integer });
	return reply_json(rq, 200, "[]", 2);
}

/* As a handler would hand them to a statement: every member of every item as an array. */
static int count(struct request *rq)
{
	const struct list *items = input_list(rq);

	HOLDS(items->count >= 1 && items->count <= 3);
	HOLDS(array_of_members(rq->arena, items, offsetof(struct thing, text)) != NULL);
	HOLDS(array_of_members(rq->arena, items, offsetof(struct thing, integer)) != NULL);
	HOLDS(array_of_members(rq->arena, items, offsetof(struct thing, words)) != NULL);
	return reply_json(rq, 200, "[]", 2);
}

/* A file that was taken is as long as it says, of a type that may be, and has a name without a
 * path. */
static int store(struct request *rq)
{
	const struct post *in = input(rq);
	struct stat status;

	if (in->file.name == NULL)
		return reply_json(rq, 200, "[]", 2);
	HOLDS(fstat(in->file.fd, &status) == 0 && status.st_size == in->file.size);
	HOLDS(in->file.size <= 1000 && text_index(in->file.media, media) >= 0);
	HOLDS(strpbrk(in->file.name, "/\\") == NULL && strcmp(in->file.name, "..") != 0);
	return reply_json(rq, 200, "[]", 2);
}

static int change(struct request *rq)
{
	return reply_done(rq, query(rq, "UPDATE things SET x = 1 WHERE id = $1", path_id(rq)));
}

/* clang-format off */
const struct feature things_feature = { .name = "things", .doc = "Of every kind.", .routes = ROUTES(
	{ ROUTE(GET, "/things", "by query", ANYONE, echo), .takes = &thing, .gives = &thing },
	{ ROUTE(POST, "/things", "by JSON", ANYONE, echo), .takes = &thing, .gives = &thing, .status = 201 },
	{ ROUTE(POST, "/nested", "by JSON, nested", ANYONE, echo), .takes = &nested, .gives = &nested },
	{ ROUTE(POST, "/bulk", "several at once", ANYONE, count), .takes = &nested,
	    .bulk = 3, .media = "application/json" },
	{ ROUTE(POST, "/form", "by form", ANYONE, echo), .takes = &thing, .gives = &thing, .form = true },
	{ ROUTE(POST, "/files", "by multipart", ANYONE, store), .takes = &post, .media = "application/json" },
	{ ROUTE(GET, "/pages", "a page", ANYONE, page), .takes = &thing, .media = "application/json" },
	{ ROUTE(GET, "/kept/{text}", "by path, kept", ANYONE, echo), .takes = &thing, .gives = &thing,
	    .cached = { .key = "things:{text}:{integer}", .seconds = 9 } },
	{ ROUTE(PUT, "/things/{id}", "change", ANYONE, change), .takes = &thing, .status = 204,
	    .versioned = VERSION_OF("things"), .drops = DROPS("things:{text}:{integer}") },
	{ ROUTE(DELETE, "/things/{id}", "forget", ANYONE, change), .versioned = VERSION_OF("things"),
	    .needs_match = true },
	{ ROUTE(GET, "/mine", "needs somebody", SIGNED_IN, change) }) };
/* clang-format on */
