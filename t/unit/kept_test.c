/* kept_test.c - answers that the table says are kept: whose, for which inputs, and until which
 * change. */
#include "base/crypto.h"
#include "t/unit/asking.h"
#include "t/unit/redis_server.h"

/* --- a feature whose rows are a counter: each handler that runs answers another number --- */

struct visit {
	long long id, page;
	const char *day, *colour;
};

static struct {
	int runs;      /* of handlers */
	bool is_there; /* what is read */
} world;

/* clang-format off */
static const struct shape visit = SHAPE(struct visit,
	{ FIELD(struct visit, page), .min = 1, .max = 9, .preset = "1" },
	{ FIELD_AS(struct visit, day, MONTH) },
	{ FIELD(struct visit, colour) });
/* clang-format on */

static int read_anew(struct request *rq)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "run %d", ++world.runs);

	if (!world.is_there)
		return reply_missing(rq);
	rq->response.etag = "\"7\"";
	rq->response.next = "MjAyNg";
	return reply_json(rq, 200, text, (size_t)length);
}

static int refuse(struct request *rq)
{
	world.runs++;
	return reply_problem(rq, 503, "Not now.");
}

static int change(struct request *rq)
{
	cache_drop(rq, "only_the_handler_knows");
	return reply_json(rq, 200, "{}", 2);
}

static const struct feature visits = { .name = "visits",
	.routes = ROUTES({ ROUTE(GET, "/visits", "list", ANYONE, read_anew), .takes = &visit,
			     .cached = { .key = "visits_list", .seconds = 60 } },
	    { ROUTE(GET, "/visits/{id}", "one", ANYONE, read_anew),
		.cached = { .key = "visit_{id}", .seconds = 60, .missing_seconds = 5 } },
	    { ROUTE(GET, "/months", "of a month", ANYONE, read_anew), .takes = &visit,
		.cached = { .key = "month:{day}", .seconds = 60 } },
	    { ROUTE(GET, "/mine", "one's own", SIGNED_IN, read_anew),
		.cached = { .key = "mine:{user}", .seconds = 60 } },
	    { ROUTE(GET, "/known", "by its handler", ANYONE, read_anew),
		.cached = { .key = "only_the_handler_knows", .seconds = 60 } },
	    { ROUTE(GET, "/failing", "not now", ANYONE, refuse),
		.cached = { .key = "failing", .seconds = 60 } },
	    { ROUTE(PUT, "/visits/{id}", "change", ANYONE, change),
		.drops = DROPS("visit_{id}", "visits_list") },
	    { ROUTE(DELETE, "/mine", "forget", SIGNED_IN, change),
		.drops = DROPS("mine:{user}") }) };
static const struct feature *const features[] = { &visits, NULL };

static const struct cache_options leases = { .wait_ms = 100, .lease_ms = 5000, .stale_ms = 60000 };
static struct redis_options options = { .connections = 2, .timeout_ms = 2000, .retry_ms = 1 };
static struct arena *arena;

static int begin(void **state)
{
	(void)state;
	arena = arena_new(4096);
	if (begin_asking(features) != 0 || redis_server_start(arena) != 0)
		return -1;
	options.address = redis_server_address();
	redis_close(&now.app.redis);
	limits_close(&now.app.limits);
	now.app.redis = redis_open(&options);
	now.app.limits = limits_open(now.app.redis, quotas_policies(now.app.quotas));
	now.app.cache = cache_open(now.app.redis, &leases);
	return 0;
}

static int end(void **state)
{
	cache_close(&now.app.cache);
	arena_free(&arena);
	return end_asking(state) != 0 ? -1 : redis_server_end();
}

/* Two people have signed in: each has an id in a cookie, and a copy of the session in Redis. */
static const struct person {
	const char *cookie, *copy;
} ana = { "sid=YW5hYW5hYW5hYW5hYW5hYW5hYW5hYW5hYW5hYW5hYW4", "5 2 4102444800 ana" },
  ben = { "sid=YmVuYmVuYmVuYmVuYmVuYmVuYmVuYmVuYmVuYmVuYmU", "6 2 4102444800 ben" };
static const struct person *asking;

static void sign_in(const struct person *person)
{
	unsigned char id[32], hash[DIGEST_BYTES];

	assert_true(base64url_read(person->cookie + strlen("sid="), id, sizeof(id)));
	digest_of(id, sizeof(id), hash);
	(void)redis_server_says("SET",
	    arena_print(arena, "session:%s", base64url_write(arena, hash, sizeof(hash))),
	    arena_print(arena, "4102444800000 4102444800000\n%s", person->copy));
}

static int empty(void **state)
{
	(void)state;
	(void)redis_server_says("FLUSHALL");
	world.runs = 0;
	world.is_there = true;
	sign_in(asking = &ana);
	sign_in(&ben);
	return 0;
}

static int get(const char *uri)
{
	return ask((struct head){ .method = "GET", .uri = uri, .cookie = asking->cookie }, "", 0);
}

/* The whole value of a header of the last answer, or "none". */
static const char *header(const char *name)
{
	static char value[256];
	const char *line = strstr(now.head, name);

	if (line == NULL)
		return "none";
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + strlen(name), "\r"),
	    line + strlen(name));
	return value;
}

#define assert_cache_says(what) assert_string_equal(header("Cache-Status: "), what)
#define HIT                     "ostler; hit"
#define MISS                    "ostler; fwd=miss"

static void an_answer_comes_back_as_it_was(void **state)
{
	char head[sizeof(now.head)];

	(void)state;
	assert_int_equal(get("/visits"), 200);
	assert_cache_says(MISS);
	snprintf(head, sizeof(head), "%s", header("Link: "));
	assert_int_equal(get("/visits"), 200);
	assert_cache_says(HIT);
	assert_string_equal(now.answer, "run 1");
	assert_string_equal(header("ETag: "), "\"7\"");
	assert_string_equal(header("Link: "), head);
	assert_string_equal(header("Content-Type: "), "application/json");
	assert_int_equal(
	    ask((struct head){ .method = "GET", .uri = "/visits", .if_none_match = "\"7\"" }, "",
		0),
	    304);
	assert_cache_says(HIT);
	assert_int_equal(ask((struct head){ .method = "HEAD", .uri = "/visits" }, "", 0), 200);
	assert_cache_says(HIT);
	assert_int_equal(world.runs, 1);
}

static void an_answer_to_other_inputs_is_not_kept(void **state)
{
	const char *const uris[] = { "/visits?page=1", "/visits?colour=red", "/months?page=2" };

	(void)state;
	(void)get("/visits");
	for (size_t i = 0; i < COUNT(uris); i++) {
		assert_int_equal(get(uris[i]), 200);
		assert_cache_says("none");
	}
	assert_int_equal(world.runs, 4);
	/* One with errors is not even asked for. */
	assert_int_equal(get("/visits?page=0"), 422);
	assert_int_equal(get("/visits?%"), 400);
	assert_cache_says("none");
}

static void what_stands_in_the_key_may_be_given(void **state)
{
	(void)state;
	(void)get("/months?day=2026-01");
	assert_cache_says(MISS);
	(void)get("/months?day=2026-02");
	assert_cache_says(MISS);
	(void)get("/months?day=2026-01");
	assert_cache_says(HIT);
	assert_string_equal(now.answer, "run 1");
	assert_int_equal(redis_server_says("EXISTS", "month:2026-02").integer, 1);
}

static void one_thing_has_one_key_however_it_is_written(void **state)
{
	(void)state;
	(void)get("/visits/7");
	(void)get("/visits/007");
	assert_cache_says(HIT);
	assert_int_equal(ask((struct head){ .method = "PUT", .uri = "/visits/0007" }, "", 0), 200);
	(void)get("/visits/7");
	assert_cache_says(MISS);
}

static void each_user_has_their_own(void **state)
{
	(void)state;
	(void)get("/mine");
	asking = &ben;
	(void)get("/mine");
	assert_cache_says(MISS);
	assert_string_equal(now.answer, "run 2");
	assert_int_equal(
	    ask((struct head){ .method = "DELETE", .uri = "/mine", .cookie = asking->cookie }, "",
		0),
	    200);
	asking = &ana;
	(void)get("/mine");
	assert_cache_says(HIT);
	assert_string_equal(now.answer, "run 1");
}

static void a_404_is_kept_for_its_own_time_and_names_its_own_request(void **state)
{
	(void)state;
	world.is_there = false;
	assert_int_equal(
	    ask((struct head){ .method = "GET", .uri = "/visits/9", .request_id = "first" }, "", 0),
	    404);
	assert_cache_says(MISS);
	assert_in_range(redis_server_says("PTTL", "visit_9").integer, 60000, 65000);
	world.is_there = true;
	assert_int_equal(
	    ask((struct head){ .method = "GET", .uri = "/visits/9", .request_id = "second" }, "",
		0),
	    404);
	assert_cache_says(HIT);
	assert_non_null(strstr(now.answer, "second"));
	assert_null(strstr(now.answer, "first"));
	(void)ask((struct head){ .method = "PUT", .uri = "/visits/9" }, "", 0);
	assert_int_equal(get("/visits/9"), 200);
}

static void where_no_time_is_given_a_404_is_not_kept(void **state)
{
	(void)state;
	world.is_there = false;
	assert_int_equal(get("/visits"), 404);
	world.is_there = true;
	assert_int_equal(get("/visits"), 200);
	assert_cache_says(MISS);
}

static void a_failure_is_not_kept_and_gives_its_lease_back(void **state)
{
	(void)state;
	assert_int_equal(get("/failing"), 503);
	assert_int_equal(redis_server_says("EXISTS", "failing", "lease:failing").integer, 0);
	assert_int_equal(get("/failing"), 503);
	assert_cache_says(MISS);
	assert_int_equal(world.runs, 2);
}

static void a_request_that_is_refused_behind_the_front_gives_its_lease_back(void **state)
{
	(void)state;
	assert_int_equal(
	    ask((struct head){ .method = "GET", .uri = "/visits", .content_length = "much" }, "",
		0),
	    400);
	assert_int_equal(redis_server_says("EXISTS", "lease:visits_list").integer, 0);
	assert_int_equal(world.runs, 0);
}

static void a_change_drops_what_its_table_and_its_handler_say(void **state)
{
	(void)state;
	(void)get("/visits");
	(void)get("/visits/1");
	(void)get("/visits/2");
	(void)get("/known");
	(void)ask((struct head){ .method = "PUT", .uri = "/visits/1" }, "", 0);
	(void)get("/visits");
	assert_cache_says(MISS);
	(void)get("/visits/1");
	assert_cache_says(MISS);
	(void)get("/visits/2");
	assert_cache_says(HIT);
	(void)get("/known");
	assert_cache_says(MISS);
}

#define TEST(name) cmocka_unit_test_setup(name, empty)

int main(void)
{
	const struct CMUnitTest kept[] = {
		TEST(an_answer_comes_back_as_it_was),
		TEST(an_answer_to_other_inputs_is_not_kept),
		TEST(what_stands_in_the_key_may_be_given),
		TEST(one_thing_has_one_key_however_it_is_written),
		TEST(each_user_has_their_own),
		TEST(a_404_is_kept_for_its_own_time_and_names_its_own_request),
		TEST(where_no_time_is_given_a_404_is_not_kept),
		TEST(a_failure_is_not_kept_and_gives_its_lease_back),
		TEST(a_request_that_is_refused_behind_the_front_gives_its_lease_back),
		TEST(a_change_drops_what_its_table_and_its_handler_say),
	};

	return cmocka_run_group_tests(kept, begin, end);
}
