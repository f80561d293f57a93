/* journey_test.c - a request through all stages, with a table of its own and nothing around it. */
#include "t/unit/asking.h"

/* --- a feature that answers with what it was given --- */

struct order {
	const char *horse, *colour, *at;
	long long count;
	double weight;
	bool paid;
};

static const char *const colours[] = { "red", "green", NULL };

/* clang-format off */
static const struct shape order = SHAPE(struct order,
	{ FIELD(struct order, horse), .min = 1, .max = 5, .required = true },
	{ FIELD(struct order, colour), .one_of = colours, .preset = "red" },
	{ FIELD_AS(struct order, at, TIME) },
	{ FIELD(struct order, count), .min = 1, .max = 200, .preset = "20" },
	{ FIELD(struct order, weight), .min = 0, .max = 1000 },
	{ FIELD(struct order, paid) });

/* Names that a JSON pointer must escape. */
static const struct shape odd = SHAPE(struct order,
	{ .name = "a/b~c", .kind = INTEGER, .offset = offsetof(struct order, count) });
/* clang-format on */

static int echo(struct request *rq)
{
	const struct order *in = input(rq);
	char text[256];
	int length = snprintf(text, sizeof(text), "%s %s %s %lld %.1f %d %d", in->horse, in->colour,
	    in->at != NULL ? in->at : "-", in->count, in->weight, in->paid, given_any(rq));

	return reply_json(rq, 200, text, (size_t)length);
}

static int echo_id(struct request *rq)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "id %lld", path_id(rq));

	rq->response.etag = "\"7\"";
	return reply_json(rq, 200, text, (size_t)length);
}

static const struct feature orders = { .name = "orders",
	.routes = ROUTES({ ROUTE(POST, "/orders", "order", ANYONE, echo), .takes = &order },
	    { ROUTE(GET, "/orders", "find", ANYONE, echo), .takes = &order },
	    { ROUTE(GET, "/orders/{id}", "one", ANYONE, echo_id) },
	    { ROUTE(PUT, "/horses/{horse}", "of a horse", ANYONE, echo), .takes = &order },
	    { ROUTE(POST, "/form", "by form", ANYONE, echo), .takes = &order, .form = true },
	    { ROUTE(POST, "/odd", "odd names", ANYONE, echo), .takes = &odd }) };
static const struct feature *const features[] = { &orders, NULL };

static int begin(void **state)
{
	(void)state;
	return begin_asking(features);
}

static int get(const char *uri)
{
	return ask((struct head){ .method = "GET", .uri = uri }, "", 0);
}

static int post(const char *uri, const char *type, const char *body)
{
	return ask((struct head){ .method = "POST", .uri = uri, .content_type = type }, body,
	    strlen(body));
}

static int post_json(const char *body)
{
	return post("/orders", "application/json", body);
}

static void what_is_right_reaches_the_handler(void **state)
{
	(void)state;
	assert_int_equal(post_json("{\"horse\":\"caf\\u00e9s\",\"colour\":\"green\",\"count\":200,"
				   "\"at\":\"2026-01-31T23:59:59Z\",\"weight\":7,\"paid\":true}"),
	    200);
	assert_string_equal(now.answer, "caf\xC3\xA9s green 2026-01-31T23:59:59Z 200 7.0 1 1");
	assert_int_equal(post_json(" {\"horse\" : \"ann\"}\r\n"), 200);
	assert_string_equal(now.answer, "ann red - 20 0.0 0 1");
	assert_int_equal(get("/orders?horse=a%20b&weight=0.5&paid=true"), 200);
	assert_string_equal(now.answer, "a b red - 20 0.5 1 1");
	assert_int_equal(
	    post("/form", "application/x-www-form-urlencoded; charset=utf-8", "horse=a+b&&count=3"),
	    200);
	assert_string_equal(now.answer, "a b red - 3 0.0 0 1");
}

static void every_fault_is_told_at_once(void **state)
{
	(void)state;
	assert_int_equal(
	    post_json("{\"horse\":\"pegasus\",\"colour\":\"blue\",\"count\":0,\"at\":\"today\","
		      "\"weight\":\"heavy\",\"paid\":1,\"hores\":null,\"x\":[]}"),
	    422);
	assert_string_equal(faults(),
	    "/horse body: must have 1 to 5 characters, not 7\n"
	    "/colour body: must be one of red, green\n"
	    "/count body: must be 1 to 200\n"
	    "/at body: must be a time as 2026-01-31T23:59:59Z (RFC 3339)\n"
	    "/weight body: must be a number\n"
	    "/paid body: must be true or false\n"
	    "/hores body: is unknown; did you mean \"horse\"?\n"
	    "/x body: is unknown\n");
	assert_int_equal(get("/orders?count=0x10&count=1&paid=yes&pad=1"), 422);
	assert_string_equal(faults(), "/count query: must be a whole number of at most 64 bits\n"
				      "/count query: is given twice\n"
				      "/paid query: must be true or false\n"
				      "/pad query: is unknown; did you mean \"paid\"?\n"
				      "/horse query: is missing\n");
}

static void numbers_over_64_bits_are_wrong_values_not_wrong_json(void **state)
{
	(void)state;
	assert_int_equal(post_json("{\"horse\":\"ann\",\"count\":12345678901234567890}"), 422);
	assert_string_equal(faults(), "/count body: must be a whole number of at most 64 bits\n");
	assert_int_equal(post_json("{\"horse\":\"ann\",\"count\":20.0}"), 422);
	assert_int_equal(post_json("{\"horse\":\"ann\",\"weight\":12345678901234567890}"), 422);
	assert_string_equal(faults(), "/weight body: must be 0 to 1000\n");
}

static void names_are_escaped_in_pointers(void **state)
{
	(void)state;
	assert_int_equal(post("/odd", "application/json", "{\"a/b~c\":\"x\",\"~1/\":1}"), 422);
	assert_non_null(strstr(faults(), "/a~1b~0c body: must be a whole number"));
	assert_non_null(strstr(faults(), "/~01~1 body: is unknown"));
	assert_int_equal(post("/odd", "application/json", "{\"\":1,\"\\\"\\n\":1}"), 422);
	assert_non_null(strstr(faults(), "/ body: is unknown"));
	assert_non_null(strstr(faults(), "/\"\n body: is unknown"));
}

static void the_path_goes_before_the_body(void **state)
{
	const struct head head = {
		.method = "PUT", .uri = "/horses/ann", .content_type = "application/json"
	};

	(void)state;
	assert_int_equal(ask(head, "{\"count\":5}", 11), 200);
	assert_string_equal(now.answer, "ann red - 5 0.0 0 1");
	assert_int_equal(ask(head, "{\"horse\":\"bo\"}", 14), 422);
	assert_non_null(strstr(faults(), "/horse body: is unknown"));
	assert_int_equal(
	    ask((struct head){ .method = "PUT", .uri = "/horses/pegasus" }, "", 0), 404);
}

static void ids_that_cannot_be_lead_nowhere(void **state)
{
	(void)state;
	assert_int_equal(get("/orders/42"), 200);
	assert_string_equal(now.answer, "id 42");
	assert_int_equal(get("/orders/9223372036854775807"), 200);
	assert_int_equal(get("/orders/9223372036854775808"), 404);
	assert_int_equal(get("/orders/x"), 404);
	assert_int_equal(get("/orders/0x10"), 404);
	assert_int_equal(get("/orders/1.0"), 404);
	assert_int_equal(get("/orders/%31"), 200);
	assert_int_equal(get("/orders/%00"), 400);
	assert_int_equal(get("/orders/%zz"), 400);
	assert_int_equal(get("orders"), 400);
}

static void what_is_no_json_object_is_a_400(void **state)
{
	static const char *const wrong[] = { "{", "}", "x", "[]", "7", "\"text\"", "null", "true",
		"[{\"horse\":\"ann\"}]", "{\"horse\":\"ann\"}}", "{\"horse\":\"ann\"} x",
		"{\"horse\":\"ann\",}", "{horse:\"ann\"}", "{'horse':'ann'}",
		"{\"horse\":\"ann\",\"horse\":\"bo\"}", "{\"horse\":\"a\\u0000b\"}",
		"{\"a\\u0000b\":1}", "{\"horse\":\"\xFF\"}", "{\"horse\":\"\xC0\x80\"}",
		"{\"horse\":\"\xED\xA0\x80\"}", "{\"horse\":\"\\ud800\"}", "{\"horse\":\"\xC3\"}",
		"{\"horse\":\"a\nb\"}", "{\"horse\":NaN}", "{\"count\":01}", "{\"count\":+1}",
		"\xEF\xBB\xBF{\"horse\":\"ann\"}", " " };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (post_json(wrong[i]) != 400)
			fail_msg("%s: %d %s", wrong[i], now.rq->response.status, now.answer);
	assert_int_equal(ask((struct head){ .method = "POST",
				 .uri = "/orders",
				 .content_type = "application/json" },
			     "{\"horse\":\"a\0\"}", 15),
	    400);
	assert_int_equal(post_json(""), 400);
	assert_non_null(strstr(now.answer, "The body is empty"));
}

static void nesting_has_an_end(void **state)
{
	char body[600];

	(void)state;
	for (size_t depth = 60; depth < 70; depth++) {
		size_t length = (size_t)snprintf(body, sizeof(body), "{\"x\":\"[[\\\"[\",\"y\":");

		memset(body + length, '[', depth - 1);
		memset(body + length + depth - 1, ']', depth - 1);
		snprintf(body + length + 2 * (depth - 1), sizeof(body) / 2, "}");
		assert_int_equal(post_json(body), depth <= 64 ? 422 : 400);
	}
	memset(body, '[', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	assert_int_equal(post_json(body), 400);
}

static void only_the_media_type_of_the_route_is_taken(void **state)
{
	static const char *const right[] = { "application/json", "Application/JSON",
		"application/json;charset=utf-8", "application/json ; charset=utf-8" };
	static const char *const wrong[] = { NULL, "", "text/plain", "application/jsonx",
		"application/x-www-form-urlencoded", "application/problem+json", "json" };

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		assert_int_equal(post("/orders", right[i], "{\"horse\":\"ann\"}"), 200);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(post("/orders", wrong[i], "{\"horse\":\"ann\"}"), 415);
	assert_int_equal(post("/form", "application/json", "{\"horse\":\"ann\"}"), 415);
}

static void bodies_are_as_long_as_said_and_no_longer_than_allowed(void **state)
{
	struct head head = {
		.method = "POST", .uri = "/orders", .content_type = "application/json"
	};
	static const struct {
		const char *length;
		int status;
	} said[] = { { "15", 200 }, { "16", 400 }, { "14", 400 }, { "1000", 400 }, { "1001", 413 },
		{ "9223372036854775807", 413 }, { "9223372036854775808", 400 }, { "-1", 400 },
		{ "x", 400 }, { "0", 400 } };

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		head.content_length = said[i].length;
		if (ask(head, "{\"horse\":\"ann\"}", 15) != said[i].status)
			fail_msg("%s: %d", said[i].length, now.rq->response.status);
	}
}

static void methods_that_are_not_there_are_told_which_are(void **state)
{
	(void)state;
	assert_int_equal(ask((struct head){ .method = "DELETE", .uri = "/orders" }, "", 0), 405);
	assert_non_null(strstr(now.head, "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"));
	assert_int_equal(ask((struct head){ .method = "BREW", .uri = "/orders" }, "", 0), 405);
	assert_int_equal(ask((struct head){ .method = "get", .uri = "/orders" }, "", 0), 405);
	assert_int_equal(ask((struct head){ .uri = "/orders" }, "", 0), 405);
	assert_int_equal(ask((struct head){ .method = "OPTIONS", .uri = "/orders/1" }, "", 0), 204);
	assert_non_null(strstr(now.head, "\r\nAllow: GET, HEAD, OPTIONS\r\n"));
	assert_string_equal(now.answer, "");
	assert_int_equal(ask((struct head){ .method = "OPTIONS", .uri = "/" }, "", 0), 404);
	assert_int_equal(ask((struct head){ .method = "GET" }, "", 0), 400);
}

static int none_match(const char *list)
{
	return ask(
	    (struct head){ .method = "GET", .uri = "/orders/1", .if_none_match = list }, "", 0);
}

static void a_client_that_has_the_answer_is_told_so(void **state)
{
	static const char *const same[] = { "\"7\"", "W/\"7\"", "*", "\"1\", \"7\"",
		"\"1\",W/\"7\"", " \t\"7\" ", "\"7\",\"8\"" };
	static const char *const other[] = { "", "7", "\"77\"", "\"\"", "w/\"7\"", "\"7", "W/7",
		"\"7\"x", ",", "\"1\" , \"2\"" };

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		if (none_match(same[i]) != 304)
			fail_msg("%s: %d", same[i], now.rq->response.status);
		assert_string_equal(now.answer, "");
		assert_non_null(strstr(now.head, "\r\nETag: \"7\"\r\n"));
		assert_null(strstr(now.head, "Content-"));
	}
	for (size_t i = 0; i < COUNT(other); i++)
		if (none_match(other[i]) != 200)
			fail_msg("%s: %d", other[i], now.rq->response.status);
}

static void a_client_is_told_of_the_first_faults_of_very_many(void **state)
{
	char body[1000] = "{\"a\":1";
	size_t length = strlen(body);

	(void)state;
	for (int i = 0; i < 100; i++)
		length += (size_t)snprintf(body + length, sizeof(body) - length, ",\"%d\":1", i);
	snprintf(body + length, sizeof(body) - length, "}");
	assert_int_equal(post_json(body), 422);
	assert_non_null(strstr(faults(), "/a body: is unknown"));
	assert_true(strlen(faults()) < 60 * strlen("/99 body: is unknown\n"));
}

static int hand_over(char *const *parameters)
{
	struct head head;

	head_fill(&head, parameters);
	return ask(head, "{\"horse\":\"ann\"}", 15);
}

/* As a web server hands over a request: its own parameters, then header lines. */
#define POSTED "REQUEST_METHOD=POST", "REQUEST_URI=/orders"

static void a_parameter_that_came_twice_is_refused(void **state)
{
	char *const once[] = { POSTED, "HTTP_CONTENT_TYPE=application/json", "HTTP_X=1", "HTTP_X=2",
		"NONE", NULL };
	char *const both[] = { POSTED, "CONTENT_TYPE=application/json",
		"HTTP_CONTENT_TYPE=application/json", NULL };
	char *const joined[] = { POSTED, "CONTENT_TYPE=application/json",
		"HTTP_CONTENT_TYPE=application/json, text/plain", NULL };
	char *const twice[] = { POSTED, "HTTP_CONTENT_TYPE=application/json",
		"HTTP_CONTENT_TYPE=application/json", NULL };
	char *const and_empty[] = { POSTED, "HTTP_CONTENT_TYPE=application/json",
		"HTTP_IDEMPOTENCY_KEY=a", "HTTP_IDEMPOTENCY_KEY=", NULL };

	(void)state;
	assert_int_equal(hand_over(once), 200);
	assert_int_equal(hand_over(both), 200);
	assert_int_equal(hand_over(joined), 415);
	assert_int_equal(hand_over(twice), 400);
	assert_non_null(strstr(now.answer, "\"Content-Type is given twice.\""));
	assert_int_equal(hand_over(and_empty), 400);
	assert_non_null(strstr(now.answer, "\"Idempotency-Key is given twice.\""));
}

/* 200 is what nginx's own fastcgi_params tells of every request. */
static void only_what_the_web_server_refused_is_refused(void **state)
{
	char *const whole[] = { POSTED, "CONTENT_TYPE=application/json", "REDIRECT_STATUS=200",
		NULL };
	char *const refused[] = { POSTED, "CONTENT_TYPE=application/json", "REDIRECT_STATUS=400",
		NULL };

	(void)state;
	assert_int_equal(hand_over(whole), 200);
	assert_int_equal(hand_over(refused), 400);
	assert_non_null(strstr(now.answer, "\"The request is not well-formed HTTP.\""));
}

int main(void)
{
	const struct CMUnitTest journey[] = {
		cmocka_unit_test(only_what_the_web_server_refused_is_refused),
		cmocka_unit_test(what_is_right_reaches_the_handler),
		cmocka_unit_test(every_fault_is_told_at_once),
		cmocka_unit_test(numbers_over_64_bits_are_wrong_values_not_wrong_json),
		cmocka_unit_test(names_are_escaped_in_pointers),
		cmocka_unit_test(the_path_goes_before_the_body),
		cmocka_unit_test(ids_that_cannot_be_lead_nowhere),
		cmocka_unit_test(what_is_no_json_object_is_a_400),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(only_the_media_type_of_the_route_is_taken),
		cmocka_unit_test(bodies_are_as_long_as_said_and_no_longer_than_allowed),
		cmocka_unit_test(methods_that_are_not_there_are_told_which_are),
		cmocka_unit_test(a_client_that_has_the_answer_is_told_so),
		cmocka_unit_test(a_client_is_told_of_the_first_faults_of_very_many),
		cmocka_unit_test(a_parameter_that_came_twice_is_refused),
	};

	return cmocka_run_group_tests(journey, begin, end_asking);
}
