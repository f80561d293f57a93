/*
 * kinds.c - a program of one feature that takes and gives every kind there is, in every way.
 *
 * t/contract.t drives it from its own OpenAPI document, t/kinds.t by hand with
 * what no document describes.  It answers with what it was given: from the
 * struct, or by way of PostgreSQL.
 */
#include "core/core.h"
#include "program.h"

struct place {
	const char *city;
	double latitude;
};
struct part {
	const char *name, *price;
	long long count;
	const struct place *from;
};
struct thing {
	const char *text, *code, *colour, *nick, *at, *day, *month, *key, *email, *home, *price;
	long long level;
	double weight;
	bool ready;
	struct list tags, numbers, parts;
	const struct place *place;
};
struct sums {
	long long count;
	const char *total;
};
struct asked {
	const char *month;
	bool empty;
};
struct region {
	const char *region, *total;
};
struct report {
	const char *month, *total;
	struct list regions;
};
struct sent {
	const char *note;
	struct upload file;
};
struct stored {
	const char *note, *name, *media;
	long long size, sum;
};

static const char *const colours[] = { "red", "green", "dark blue", NULL };
static const char *const plain_files[] = { "text/csv", "text/plain", NULL };

/* clang-format off */
static const struct shape place = SHAPE(struct place,
	{ FIELD(struct place, city), .min = 1, .max = 30, .required = true },
	{ FIELD(struct place, latitude), .min = -90, .max = 90, .preset = "0" });

static const struct shape part = SHAPE(struct part,
	{ FIELD(struct part, name), .min = 1, .max = 40, .required = true },
	{ FIELD_AS(struct part, price, MONEY), .min = 0, .max = 10000, .required = true },
	{ FIELD(struct part, count), .min = 1, .max = 99, .preset = "1" },
	{ FIELD_AS(struct part, from, OBJECT), .of = &place, .nullable = true });

/* What any way of sending can hold. */
#define PLAIN_FIELDS									\
	{ FIELD(struct thing, text), .min = 1, .max = 20, .required = true },		\
	{ FIELD(struct thing, code), .pattern = "^[A-Z]{2}-[0-9]+$", .max = 10, .example = "AB-12" },	\
	{ FIELD(struct thing, colour), .one_of = colours, .preset = "red" },		\
	{ FIELD_AS(struct thing, at, TIME) },						\
	{ FIELD_AS(struct thing, day, DATE) },						\
	{ FIELD_AS(struct thing, month, MONTH) },					\
	{ FIELD_AS(struct thing, email, EMAIL) },					\
	{ FIELD_AS(struct thing, home, URL), .max = 200 },				\
	{ FIELD_AS(struct thing, price, MONEY), .min = -5, .max = 1000 },		\
	{ FIELD(struct thing, level), .min = -3, .max = 7, .preset = "2" },		\
	{ FIELD(struct thing, weight), .min = 0, .max = 100 },				\
	{ FIELD(struct thing, ready), .preset = "false" },				\
	{ FIELD_AS(struct thing, tags, TEXT), .many = 4, .max = 10 },			\
	{ FIELD_AS(struct thing, numbers, INTEGER), .least = 1, .many = 3, .min = 0, .max = 9 }

static const struct shape new_thing = SHAPE_NAMED("new_thing", struct thing, PLAIN_FIELDS,
	{ FIELD_AS(struct thing, key, UUID) },
	{ FIELD(struct thing, nick), .nullable = true, .max = 8 },
	{ FIELD_AS(struct thing, parts, OBJECT), .of = &part, .many = 3 },
	{ FIELD_AS(struct thing, place, OBJECT), .of = &place, .nullable = true, .doc = "Where it stands." });

static const struct shape plain_thing = SHAPE_NAMED("plain_thing", struct thing, PLAIN_FIELDS);

static const struct shape thing_of_key = SHAPE_NAMED("thing_of_key", struct thing,
	{ FIELD_AS(struct thing, key, UUID), .required = true }, PLAIN_FIELDS);

static const struct shape thing = SHAPE(struct thing,
	{ FIELD(struct thing, text) },
	{ FIELD(struct thing, code), .nullable = true },
	{ FIELD(struct thing, colour), .one_of = colours },
	{ FIELD(struct thing, nick), .nullable = true },
	{ FIELD_AS(struct thing, at, TIME), .nullable = true },
	{ FIELD_AS(struct thing, day, DATE), .nullable = true },
	{ FIELD_AS(struct thing, month, MONTH), .nullable = true },
	{ FIELD_AS(struct thing, key, UUID), .nullable = true },
	{ FIELD_AS(struct thing, email, EMAIL), .nullable = true },
	{ FIELD_AS(struct thing, home, URL), .nullable = true },
	{ FIELD_AS(struct thing, price, MONEY), .nullable = true },
	{ FIELD(struct thing, level) },
	{ FIELD(struct thing, weight) },
	{ FIELD(struct thing, ready) },
	{ FIELD_AS(struct thing, tags, TEXT), .many = 4 },
	{ FIELD_AS(struct thing, numbers, INTEGER), .many = 3 },
	{ FIELD_AS(struct thing, parts, OBJECT), .of = &part, .many = 3 },
	{ FIELD_AS(struct thing, place, OBJECT), .of = &place, .nullable = true });

static const struct shape thing_of_sql = SHAPE_NAMED("thing_of_sql", struct thing,
	{ FIELD_AS(struct thing, at, TIME), .nullable = true },
	{ FIELD_AS(struct thing, day, DATE), .nullable = true },
	{ FIELD_AS(struct thing, month, MONTH), .nullable = true },
	{ FIELD_AS(struct thing, key, UUID), .nullable = true },
	{ FIELD_AS(struct thing, price, MONEY), .nullable = true },
	{ FIELD_AS(struct thing, tags, TEXT), .many = 4, .nullable = true },
	{ FIELD_AS(struct thing, numbers, INTEGER), .many = 3, .nullable = true },
	{ FIELD_AS(struct thing, place, OBJECT), .of = &place, .nullable = true });

static const struct shape sums = SHAPE(struct sums,
	{ FIELD(struct sums, count) },
	{ FIELD_AS(struct sums, total, MONEY) });

static const struct shape asked = SHAPE(struct asked,
	{ FIELD_AS(struct asked, month, MONTH), .required = true },
	{ FIELD(struct asked, empty), .preset = "false" });

static const struct shape region = SHAPE(struct region,
	{ FIELD(struct region, region) },
	{ FIELD_AS(struct region, total, MONEY) });

static const struct shape report = SHAPE(struct report,
	{ FIELD_AS(struct report, month, MONTH) },
	{ FIELD_AS(struct report, total, MONEY) },
	{ FIELD_AS(struct report, regions, OBJECT), .of = &region, .many = 1000 });

static const struct shape sent = SHAPE(struct sent,
	{ FIELD(struct sent, note), .max = 10 },
	{ FIELD(struct sent, file), .min = 1, .max = 3 << 20, .one_of = plain_files, .required = true });

static const struct shape stored = SHAPE(struct stored,
	{ FIELD(struct stored, note), .nullable = true },
	{ FIELD(struct stored, name) },
	{ FIELD(struct stored, media), .one_of = plain_files },
	{ FIELD(struct stored, size) },
	{ FIELD(struct stored, sum), .doc = "Of all its bytes." });
/* clang-format on */

static int echo(struct request *rq)
{
	struct thing answer = *(const struct thing *)input(rq);

	return reply_struct(rq, &answer);
}

static int through_sql(struct request *rq)
{
	const struct thing *in = input(rq);

	return reply_row(rq,
	    query(rq,
		"SELECT $1::timestamptz AS at, $2::date AS day, $3::text AS month, $4::uuid AS key,"
		" $5::numeric(12,2) AS price, to_json($6::text[]) AS tags,"
		" to_json($7::bigint[]) AS numbers, $8::text AS \"place.city\","
		" 0.5::float8 AS \"place.latitude\"",
		in->at, in->day, in->month, in->key, in->price, given(rq, struct thing, tags),
		given(rq, struct thing, numbers), in->place != NULL ? in->place->city : NULL));
}

static int sum_up(struct request *rq)
{
	return reply_row(rq, query(rq,
				 "SELECT count(*) AS count, sum(price)::numeric(15,2) AS total"
				 " FROM unnest($1::numeric[]) AS price",
				 sql_members(rq, input_list(rq), struct part, price)));
}

static int read_report(struct request *rq)
{
	const struct asked *in = input(rq);

	return reply_row(rq,
	    query(rq,
		"SELECT $1::text AS month, coalesce(sum(total) OVER (), 0)::numeric(12,2) AS total,"
		" region AS \"regions.region\", total AS \"regions.total\""
		" FROM (SELECT) AS always LEFT JOIN (VALUES ('North', 1.50), ('South', 2.25))"
		" AS sold (region, total) ON NOT $2::boolean",
		in->month, in->empty));
}

static int take_file(struct request *rq)
{
	const struct sent *in = input(rq);
	struct upload file = in->file;
	struct stored answer = { in->note, file.name, file.media, file.size, 0 };
	char bytes[8192];
	long length;

	while ((length = upload_read(&file, bytes, sizeof(bytes))) > 0)
		for (long i = 0; i < length; i++)
			answer.sum += (unsigned char)bytes[i];
	return reply_struct(rq, &answer);
}

/* clang-format off */
static const struct feature kinds = { .name = "kinds", .doc = "Every kind of value.", .routes = ROUTES(
	{ ROUTE(POST, "/things", "Take JSON", ANYONE, echo), .takes = &new_thing, .gives = &thing },
	{ ROUTE(POST, "/sql/things", "Take JSON, by way of SQL", ANYONE, through_sql),
	    .takes = &new_thing, .gives = &thing_of_sql },
	{ ROUTE(POST, "/form/things", "Take a form", ANYONE, echo),
	    .takes = &plain_thing, .gives = &thing, .form = true },
	{ ROUTE(GET, "/things", "Take a query", ANYONE, echo), .takes = &plain_thing, .gives = &thing },
	{ ROUTE(GET, "/things/{key}", "Take a path and a query", ANYONE, echo),
	    .takes = &thing_of_key, .gives = &thing },
	{ ROUTE(PUT, "/things/{key}", "Take a path and a body", ANYONE, echo),
	    .takes = &thing_of_key, .gives = &thing },
	{ ROUTE(POST, "/parts", "Take many", ANYONE, sum_up), .takes = &part, .gives = &sums, .bulk = 1000,
	    .body_most = 1 << 20 },
	{ ROUTE(GET, "/report", "Give a list that spans rows", ANYONE, read_report),
	    .takes = &asked, .gives = &report },
	{ ROUTE(POST, "/files", "Take a file", ANYONE, take_file),
	    .takes = &sent, .gives = &stored, .body_most = 4 << 20 }) };
/* clang-format on */

static const struct ostler_program program = { .name = "ostler-app-kinds",
	.api = { .title = "Kinds", .license = "ISC" },
	.features = FEATURES(&kinds) };

int main(int argc, char **argv)
{
	return ostler_main(argc, argv, &program);
}
