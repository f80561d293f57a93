/* body_test.c - JSON bodies of every shape: nested objects, lists, null, money, patterns, bulk. */
#include "t/unit/asking.h"

#include "core/input/arrays.h"

struct room {
	const char *city;
	long long floor;
};
struct item {
	const char *name, *price;
	long long count;
	const struct room *from;
};
struct cart {
	const char *code, *note;
	struct list tags, numbers, items;
	const struct room *place;
	long long level;
	double weight;
};

/* clang-format off */
static const struct shape place = SHAPE(struct room,
	{ FIELD(struct room, city), .min = 1, .max = 20, .required = true },
	{ FIELD(struct room, floor), .preset = "3" });

static const struct shape item = SHAPE(struct item,
	{ FIELD(struct item, name), .required = true },
	{ FIELD_AS(struct item, price, MONEY), .min = 0, .max = 1000, .required = true },
	{ FIELD(struct item, count), .min = 1, .max = 9, .preset = "1" },
	{ FIELD_AS(struct item, from, OBJECT), .of = &place });

static const struct shape cart = SHAPE(struct cart,
	{ FIELD(struct cart, code), .pattern = "^[A-Z]{2}-\\d+$" },
	{ FIELD(struct cart, note), .nullable = true, .preset = "none" },
	{ FIELD_AS(struct cart, tags, TEXT), .least = 1, .many = 3, .max = 5 },
	{ FIELD_AS(struct cart, numbers, INTEGER), .many = 3, .min = 1, .max = 5 },
	{ FIELD_AS(struct cart, items, OBJECT), .of = &item, .many = 2 },
	{ FIELD_AS(struct cart, place, OBJECT), .of = &place, .nullable = true },
	{ FIELD(struct cart, level), .nullable = true },
	{ FIELD(struct cart, weight) });

/* What a query can hold. */
static const struct shape search = SHAPE(struct cart,
	{ FIELD(struct cart, code), .pattern = "^[A-Z]{2}-\\d+$" },
	{ FIELD_AS(struct cart, tags, TEXT), .least = 2, .many = 3, .max = 5 },
	{ FIELD_AS(struct cart, numbers, INTEGER), .many = 100 });
/* clang-format on */

static char text[4096];

static void add(const char *format, ...) PRINTF_LIKE(1, 2);
static void add(const char *format, ...)
{
	size_t length = strlen(text);
	va_list values;

	va_start(values, format);
	vsnprintf(text + length, sizeof(text) - length, format, values);
	va_end(values);
}

static void add_place(const struct room *at)
{
	if (at != NULL)
		add(" @%s/%lld", at->city, at->floor);
}

static void add_item(const struct item *one)
{
	add(" (%s %s x%lld", one->name, one->price, one->count);
	add_place(one->from);
	add(is_given_in(one, struct item, count) ? ")" : " by default)");
}

static int tell(struct request *rq)
{
	const struct cart *in = input(rq);

	text[0] = '\0';
	add("%s %s", in->code, in->note);
	for (size_t i = 0; i < in->tags.count; i++)
		add(" #%s", *(const char *const *)list_item(&in->tags, i));
	for (size_t i = 0; i < in->numbers.count; i++)
		add(" %lld", *(const long long *)list_item(&in->numbers, i));
	for (size_t i = 0; i < in->items.count; i++)
		add_item(list_item(&in->items, i));
	add_place(in->place);
	return reply_json(rq, 200, text, strlen(text));
}

static int tell_nulls(struct request *rq)
{
	const struct cart *in = input(rq);
	struct value note = given(rq, struct cart, note), level = given(rq, struct cart, level);

	text[0] = '\0';
	add("note %d %d %s, ", is_given(rq, struct cart, note), note.kind, in->note);
	add("level %d %d %lld, ", is_given(rq, struct cart, level), level.kind, in->level);
	add("place %d %s, ", is_given(rq, struct cart, place), in->place != NULL ? "is" : "none");
	add("weight %.17g", in->weight);
	return reply_json(rq, 200, text, strlen(text));
}

static int tell_arrays(struct request *rq)
{
	const struct cart *in = input(rq);

	text[0] = '\0';
	add("%s %s", sql_array(rq, &in->tags).text, given(rq, struct cart, numbers).text);
	add(" %s", sql_members(rq, &in->items, struct item, name).text);
	add(" %s", sql_members(rq, &in->items, struct item, price).text);
	add(" %s", sql_members(rq, &in->items, struct item, count).text);
	return reply_json(rq, 200, text, strlen(text));
}

static int tell_bulk(struct request *rq)
{
	const struct list *all = input_list(rq);

	text[0] = '\0';
	add("%zu:", all->count);
	for (size_t i = 0; i < all->count; i++)
		add_item(list_item(all, i));
	add(" %s", sql_members(rq, all, struct item, price).text);
	return reply_json(rq, 200, text, strlen(text));
}

static const struct feature carts = { .name = "carts",
	.routes = ROUTES({ ROUTE(POST, "/carts", "tell", ANYONE, tell), .takes = &cart },
	    { ROUTE(GET, "/carts", "find", ANYONE, tell), .takes = &search },
	    { ROUTE(POST, "/nulls", "tell", ANYONE, tell_nulls), .takes = &cart },
	    { ROUTE(POST, "/arrays", "tell", ANYONE, tell_arrays), .takes = &cart },
	    { ROUTE(POST, "/items", "tell", ANYONE, tell_bulk), .takes = &item, .bulk = 3 },
	    { ROUTE(POST, "/large", "tell", ANYONE, tell), .takes = &cart, .body_most = 3000 }) };
static const struct feature *const features[] = { &carts, NULL };

static int begin(void **state)
{
	(void)state;
	return begin_asking(features);
}

static int post(const char *uri, const char *body)
{
	return ask(
	    (struct head){ .method = "POST", .uri = uri, .content_type = "application/json" }, body,
	    strlen(body));
}

static int get(const char *uri)
{
	return ask((struct head){ .method = "GET", .uri = uri }, "", 0);
}

static void objects_and_lists_reach_the_handler(void **state)
{
	(void)state;
	assert_int_equal(post("/carts", "{}"), 200);
	assert_string_equal(now.answer, "(null) none");
	assert_int_equal(
	    post("/carts",
		"{\"items\":[{\"name\":\"tea\",\"price\":2.50,\"from\":{\"city\":\"Rio\"}},"
		"{\"price\":3,\"count\":2,\"name\":\"mug\"}],\"code\":\"AB-1\",\"note\":\"\","
		"\"tags\":[\"x\",\"\xC3\xA9\"],\"numbers\":[5,1],"
		"\"place\":{\"floor\":-1,\"city\":\"Lund\"}}"),
	    200);
	assert_string_equal(now.answer, "AB-1  #x #\xC3\xA9 5 1 (tea 2.50 x1 @Rio/3 by default)"
					" (mug 3.00 x2) @Lund/-1");
	assert_int_equal(post("/carts", "{\"items\":[],\"numbers\":[]}"), 200);
}

static void every_fault_has_its_pointer(void **state)
{
	(void)state;
	assert_int_equal(
	    post("/carts",
		"{\"items\":[{\"name\":7,\"price\":\"1\"},{\"nam\":\"x\",\"price\":1.234,"
		"\"from\":{\"floor\":\"x\",\"a/b\":1}}],\"tags\":[1,\"toolong\",null],"
		"\"numbers\":[0,{}],\"place\":{\"city\":\" \"},\"code\":\"ab-1\"}"),
	    422);
	assert_string_equal(faults(),
	    "/items/0/name body: must be text\n"
	    "/items/0/price body: must be an amount with at most two decimals, as 12.50\n"
	    "/items/1/nam body: is unknown; did you mean \"name\"?\n"
	    "/items/1/price body: must be an amount with at most two decimals, as 12.50\n"
	    "/items/1/from/floor body: must be a whole number of at most 64 bits\n"
	    "/items/1/from/a~1b body: is unknown\n"
	    "/items/1/from/city body: is missing\n"
	    "/items/1/name body: is missing\n"
	    "/tags/0 body: must be text\n"
	    "/tags/1 body: must have 0 to 5 characters, not 7\n"
	    "/tags/2 body: must be text\n"
	    "/numbers/0 body: must be 1 to 5\n"
	    "/numbers/1 body: must be a whole number of at most 64 bits\n"
	    "/place/city body: must not be blank\n"
	    "/code body: must match ^[A-Z]{2}-\\d+$\n");
}

static void lists_and_objects_must_be_such(void **state)
{
	(void)state;
	assert_int_equal(
	    post("/carts", "{\"items\":{},\"tags\":\"x\",\"numbers\":null,\"place\":[]}"), 422);
	assert_string_equal(faults(), "/items body: must be a list\n"
				      "/tags body: must be a list\n"
				      "/numbers body: must be a list\n"
				      "/place body: must be an object\n");
	assert_int_equal(post("/carts", "{\"tags\":[],\"numbers\":[1,1,1,1],\"items\":[1,\"x\"],"
					"\"place\":\"x\"}"),
	    422);
	assert_string_equal(faults(), "/tags body: must have 1 to 3 items\n"
				      "/numbers body: must have 0 to 3 items\n"
				      "/items/0 body: must be an object\n"
				      "/items/1 body: must be an object\n"
				      "/place body: must be an object\n");
}

static void null_is_not_the_same_as_not_given(void **state)
{
	char expected[200];

	(void)state;
	assert_int_equal(post("/nulls", "{}"), 200);
	snprintf(expected, sizeof(expected), "note 0 %d none, level 0 %d 0, place 0 none, weight 0",
	    NOTHING, NOTHING);
	assert_string_equal(now.answer, expected);
	assert_int_equal(post("/nulls", "{\"note\":null,\"level\":null,\"place\":null}"), 200);
	snprintf(expected, sizeof(expected),
	    "note 1 %d (null), level 1 %d 0, place 1 none, weight 0", NOTHING, NOTHING);
	assert_string_equal(now.answer, expected);
	assert_int_equal(post("/nulls", "{\"note\":\"\",\"level\":0,\"weight\":1e-2}"), 200);
	snprintf(expected, sizeof(expected), "note 1 %d , level 1 %d 0, place 0 none, weight %.17g",
	    TEXT, INTEGER, 0.01);
	assert_string_equal(now.answer, expected);
	assert_int_equal(post("/nulls", "{\"code\":null}"), 422);
	assert_string_equal(faults(), "/code body: must be text\n");
}

static void numbers_are_read_by_their_digits(void **state)
{
	static const char *const wrong[] = { "1e999", "-1e999", "1E+400" };
	char body[100];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(body, sizeof(body), "{\"weight\":%s}", wrong[i]);
		assert_int_equal(post("/carts", body), 422);
		assert_string_equal(faults(), "/weight body: must be a number\n");
	}
	assert_int_equal(post("/nulls", "{\"weight\":12345678901234567890}"), 200);
	assert_non_null(strstr(now.answer, "weight 1.2345678901234567e+19"));
	assert_int_equal(post("/nulls", "{\"level\":9223372036854775807}"), 200);
	assert_non_null(strstr(now.answer, " 9223372036854775807,"));
	assert_int_equal(post("/nulls", "{\"level\":9223372036854775808}"), 422);
	assert_int_equal(post("/nulls", "{\"level\":1.0}"), 422);
	/* One that is set aside moves no other, nor a text that looks like one. */
	assert_int_equal(post("/carts", "{\"items\":[{\"name\":\"1.5e3\",\"price\":1.10},"
					"{\"name\":\"\\\"2.5\",\"price\":0.1}],\"weight\":0.5}"),
	    200);
	assert_string_equal(now.answer, "(null) none (1.5e3 1.10 x1 by default)"
					" (\"2.5 0.10 x1 by default)");
}

static void what_is_wrong_is_said_by_its_place_in_the_text(void **state)
{
	(void)state;
	assert_int_equal(post("/carts", "{\"weight\":1.123456789,\"level\":x}"), 400);
	assert_non_null(strstr(now.answer, "line 1, column 31."));
	assert_int_equal(post("/carts", "{\"weight\":1e999,\"level\":x}"), 400);
	assert_non_null(strstr(now.answer, "is not valid JSON"));
	assert_int_equal(post("/carts", "{\"weight\":1.5.2}"), 400);
	assert_int_equal(post("/carts", "{\"weight\":01.5}"), 400);
	assert_int_equal(post("/carts", "{\"weight\":1.}"), 400);
	assert_int_equal(post("/carts", "{\"weight\":.5}"), 400);
	assert_int_equal(post("/carts", "{\"weight\":-}"), 400);
	assert_int_equal(post("/carts", "{\"weight\":1.5"), 400);
}

static void a_bulk_route_takes_one_or_many(void **state)
{
	(void)state;
	assert_int_equal(post("/items", "{\"name\":\"a\",\"price\":1}"), 200);
	assert_string_equal(now.answer, "1: (a 1.00 x1 by default) {\"1.00\"}");
	assert_int_equal(post("/items", "[{\"name\":\"a\",\"price\":1}]"), 200);
	assert_string_equal(now.answer, "1: (a 1.00 x1 by default) {\"1.00\"}");
	assert_int_equal(
	    post("/items", "[{\"name\":\"a\",\"price\":1},{\"name\":\"b\",\"price\":2.5,"
			   "\"count\":2}]"),
	    200);
	assert_string_equal(
	    now.answer, "2: (a 1.00 x1 by default) (b 2.50 x2) {\"1.00\",\"2.50\"}");
	assert_int_equal(post("/items", "[{\"name\":\"a\",\"price\":1},{\"price\":-1},7]"), 422);
	assert_string_equal(faults(), "/1/price body: must be 0 to 1000\n"
				      "/1/name body: is missing\n"
				      "/2 body: must be an object\n");
	assert_int_equal(post("/items", "{\"name\":\"a\"}"), 422);
	assert_string_equal(faults(), "/price body: is missing\n");
	assert_int_equal(post("/items", "[]"), 422);
	assert_string_equal(faults(), " body: must have 1 to 3 items\n");
	assert_int_equal(post("/items", "[1,2,3,4]"), 422);
	assert_string_equal(faults(), " body: must have 1 to 3 items\n");
	assert_int_equal(post("/items", "7"), 400);
	assert_int_equal(post("/carts", "[{}]"), 400);
}

static void lists_become_arrays_of_sql(void **state)
{
	(void)state;
	assert_int_equal(post("/arrays", "{}"), 200);
	assert_string_equal(now.answer, "{} (null) {} {} {}");
	assert_int_equal(
	    post("/arrays", "{\"tags\":[\"a,b\",\"\\\"\\\\\",\"NULL\"],\"numbers\":[1,2],"
			    "\"items\":[{\"name\":\"\",\"price\":1},"
			    "{\"name\":\"{}\",\"price\":2,\"count\":3}]}"),
	    200);
	assert_string_equal(now.answer, "{\"a,b\",\"\\\"\\\\\",\"NULL\"} {1,2} {\"\",\"{}\"}"
					" {\"1.00\",\"2.00\"} {1,3}");
}

static void a_query_repeats_the_name_of_a_list(void **state)
{
	char uri[800] = "/carts?numbers=0";

	(void)state;
	assert_int_equal(get("/carts?tags=a&numbers=7&tags=b"), 200);
	assert_string_equal(now.answer, "(null) (null) #a #b 7");
	assert_int_equal(get("/carts?tags=a"), 422);
	assert_string_equal(faults(), "/tags query: must have 2 to 3 items\n");
	assert_int_equal(get("/carts?tags=a&tags=toolong&tags=&numbers=x&tags=d"), 422);
	assert_string_equal(faults(),
	    "/tags/1 query: must have 0 to 5 characters, not 7\n"
	    "/numbers/0 query: must be a whole number of at most 64 bits\n"
	    "/tags query: must have 2 to 3 items\n");
	assert_int_equal(get("/carts?code=AB-1&code=AB-2"), 422);
	assert_int_equal(get("/carts?code=AB-"), 422);
	for (int i = 1; i < 20; i++)
		snprintf(uri + strlen(uri), 20, "&numbers=%d", i);
	assert_int_equal(get(uri), 200);
	assert_string_equal(
	    now.answer, "(null) (null) 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
}

static void thousands_of_parameters_are_too_many(void **state)
{
	char *uri = malloc(3 * 10001 + 20);
	size_t length;

	(void)state;
	strcpy(uri, "/carts?");
	length = strlen(uri);
	for (int i = 0; i < 10000; i++)
		length += (size_t)sprintf(uri + length, "x&");
	assert_int_equal(get(uri), 400);
	assert_non_null(strstr(now.answer, "The query has more than 1000 values."));
	uri[7 + 2 * 1000] = '\0';
	assert_int_equal(get(uri), 422);
	free(uri);
}

static void a_route_may_take_larger_bodies(void **state)
{
	char body[3001];

	(void)state;
	memset(body, ' ', sizeof(body));
	memcpy(body, "{}", 2);
	body[3000] = '\0';
	assert_int_equal(post("/large", body), 200);
	assert_int_equal(post("/carts", body), 413);
}

static void two_content_types_are_none(void **state)
{
	static const char *const wrong[] = { "application/json, text/plain",
		"application/json; charset=utf-8, text/plain", "application/json; charset=latin1",
		"application/json; charset", "application/json; =x", "application/json; a=\"b",
		"application/json, application/json", "application/json x" };
	static const char *const right[] = { "application/json;",
		"application/json; ;charset=UTF-8", "application/json; charset=\"utf-8\"",
		"application/json ; version=1", "application/json; a=\"b\\\"; charset=latin1\"" };
	struct head head = { .method = "POST", .uri = "/carts" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		head.content_type = wrong[i];
		if (ask(head, "{}", 2) != 415)
			fail_msg("%s: %d", wrong[i], now.rq->response.status);
	}
	for (size_t i = 0; i < COUNT(right); i++) {
		head.content_type = right[i];
		if (ask(head, "{}", 2) != 200)
			fail_msg("%s: %d", right[i], now.rq->response.status);
	}
}

int main(void)
{
	const struct CMUnitTest body[] = {
		cmocka_unit_test(objects_and_lists_reach_the_handler),
		cmocka_unit_test(every_fault_has_its_pointer),
		cmocka_unit_test(lists_and_objects_must_be_such),
		cmocka_unit_test(null_is_not_the_same_as_not_given),
		cmocka_unit_test(numbers_are_read_by_their_digits),
		cmocka_unit_test(what_is_wrong_is_said_by_its_place_in_the_text),
		cmocka_unit_test(a_bulk_route_takes_one_or_many),
		cmocka_unit_test(lists_become_arrays_of_sql),
		cmocka_unit_test(a_query_repeats_the_name_of_a_list),
		cmocka_unit_test(thousands_of_parameters_are_too_many),
		cmocka_unit_test(a_route_may_take_larger_bodies),
		cmocka_unit_test(two_content_types_are_none),
	};

	return cmocka_run_group_tests(body, begin, end_asking);
}
