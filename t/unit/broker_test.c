/*
 * broker_test.c - what every broker promises, on a real one.
 *
 * Without BROKER in the environment that is a Redis of the test's own; with
 * BROKER=kafka:host:port, a Kafka that somebody has started.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "store/broker.h"
#include "t/unit/redis_server.h"

#define PARTITIONS 4
#define LEASE_MS   600
#define PATIENCE   (30 * SECOND_US)

static struct {
	struct arena *arena;
	char where[128];
	int number; /* of the test's stream: none has another's messages */
	struct broker_options options;
	struct broker *broker;
	struct broker_group group;
} with;

/* --- what the tests share --- */

static bool is_redis(void)
{
	return strncmp(with.where, "redis:", 6) == 0;
}

static int start(void **state)
{
	const char *where = getenv("BROKER");

	(void)state;
	with.arena = arena_new(1 << 20);
	if (where == NULL && redis_server_start(with.arena) != 0)
		return -1;
	if (where != NULL)
		snprintf(with.where, sizeof(with.where), "%s", where);
	else
		snprintf(with.where, sizeof(with.where), "redis:%s", redis_server_address());
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&with.arena);
	return getenv("BROKER") == NULL ? redis_server_end() : 0;
}

static int open_broker(void **state)
{
	const char *wrong = NULL;

	(void)state;
	arena_reset(with.arena);
	with.options = (struct broker_options){ .where = with.where,
		.stream = arena_print(with.arena, "test-%d-%d", (int)getpid(), with.number++),
		.partitions = PARTITIONS,
		.connections = 2,
		.timeout_ms = 5000,
		.retry_ms = 1 };
	with.group = (struct broker_group){ .name = "group",
		.member = "one",
		.lease_ms = LEASE_MS,
		.keep_ms = 60000,
		.batch_most = 1000 };
	with.broker = broker_open(&with.options, with.arena, &wrong);
	if (with.broker == NULL)
		print_error("%s\n", wrong);
	return with.broker == NULL;
}

static int close_broker(void **state)
{
	(void)state;
	broker_close(&with.broker);
	return 0;
}

/* COUNT messages "key:number", of KEYS keys in turn, in calls of EACH. */
static void publish(int from, int count, int keys, int each)
{
	struct broker_message messages[1000];

	for (int i = 0; i < count;) {
		size_t n = 0;

		for (; n < (size_t)each && i < count; i++, n++) {
			const char *key = arena_print(with.arena, "user-%d", (from + i) % keys);
			const char *body = arena_print(with.arena, "%s:%d", key, from + i);

			messages[n] = (struct broker_message){ key, body, strlen(body) };
		}
		assert_true(broker_publish(with.broker, with.arena, messages, n));
	}
}

static struct broker_reader *join(const char *member)
{
	struct broker_group group = with.group;

	group.member = member;
	return broker_join(with.broker, &group);
}

static int number_of(const struct broker_delivery *message)
{
	return atoi(strchr(message->body, ':') + 1);
}

static int key_of(const struct broker_delivery *message)
{
	return atoi(message->body + strlen("user-"));
}

/* What was read so far: how often each number came, and the last of each key. */
struct seen {
	int times[5000], last[100], count;
};

static void note(struct seen *seen, const struct broker_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct broker_delivery *message = &batch->message[i];

		assert_int_equal(message->length, strlen(message->body));
		seen->count += seen->times[number_of(message)]++ == 0;
		if (seen->times[number_of(message)] == 1) {
			assert_true(number_of(message) > seen->last[key_of(message)]);
			seen->last[key_of(message)] = number_of(message);
		}
	}
}

static void begin(struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	for (size_t i = 0; i < 100; i++)
		seen->last[i] = -1;
}

/* Reads, and acknowledges if ACKNOWLEDGED, until COUNT have been seen. */
static void read_until(
    struct broker_reader *reader, struct seen *seen, int count, size_t most, bool acknowledged)
{
	int64_t deadline = clock_now() + PATIENCE;

	while (seen->count < count) {
		struct broker_batch batch;

		assert_true(clock_now() < deadline);
		if (!broker_read(reader, with.arena, &batch, most, 20))
			continue;
		assert_true(batch.count <= most);
		note(seen, &batch);
		if (acknowledged)
			assert_true(broker_acknowledge(reader, &batch));
	}
}

/* --- the tests --- */

static void what_is_published_is_read_in_the_order_of_its_key(void **state)
{
	struct broker_reader *reader = join("one");
	struct seen seen;

	(void)state;
	begin(&seen);
	publish(0, 2000, 50, 100);
	publish(2000, 100, 50, 1);
	read_until(reader, &seen, 2100, 300, true);
	publish(2100, 900, 50, 900);
	read_until(reader, &seen, 3000, 300, true);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(seen.times[i], 1);
	broker_leave(&reader);
}

static void a_read_of_nothing_waits_and_brings_nothing(void **state)
{
	struct broker_reader *reader = join("one");
	struct broker_batch batch;
	struct seen seen;
	int64_t before;

	(void)state;
	begin(&seen);
	publish(0, 1, 1, 1);
	read_until(reader, &seen, 1, 10, true);
	before = clock_now();
	assert_true(broker_read(reader, with.arena, &batch, 10, 100));
	assert_int_equal(batch.count, 0);
	assert_true(clock_now() - before >= 80000);
	broker_leave(&reader);
}

static void what_was_not_acknowledged_is_read_again(void **state)
{
	struct broker_reader *reader = join("one");
	struct seen seen;

	(void)state;
	begin(&seen);
	publish(0, 100, 10, 10);
	read_until(reader, &seen, 100, 1000, true);
	publish(100, 400, 10, 40);
	read_until(reader, &seen, 500, 1000, false);
	broker_leave(&reader);
	reader = join("two");
	begin(&seen);
	read_until(reader, &seen, 400, 1000, true);
	for (int i = 0; i < 500; i++)
		assert_int_equal(seen.times[i], i < 100 ? 0 : 1);
	broker_leave(&reader);
}

struct blocked_read {
	struct broker_reader *reader;
	struct arena *arena;
	struct broker_batch batch;
	bool well;
};

static void *read_once(void *of)
{
	struct blocked_read *read = of;

	read->well = broker_read(read->reader, read->arena, &read->batch, 100, 500);
	return NULL;
}

static bool is_blocked(void)
{
	return strstr(redis_server_says("INFO", "clients").text, "\nblocked_clients:1") != NULL;
}

/* As if Redis had died when it had written down who has it, and before it could say so. */
static void lose_an_answer(struct arena *arena)
{
	struct redis_options options = { .address = redis_server_address(),
		.connections = 1,
		.timeout_ms = 20000,
		.retry_ms = 1 };
	struct redis *redis = redis_open(&options);
	const char *stream = arena_print(arena, "%s:0", with.options.stream);
	const struct redis_command commands[] = { { .words = { "MULTI" } },
		{ .words = { "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes" } },
		{ .words = { "XADD", stream, "*", "m", "lost" } },
		{ .words = { "XREADGROUP", "GROUP", with.group.name, "one", "STREAMS", stream,
		      ">" } },
		{ .words = { "EXEC" } } };
	struct redis_reply replies[COUNT(commands)];

	assert_true(redis_run(redis, arena, COUNT(commands), commands, replies));
	assert_int_equal(replies[4].kind, REDIS_LIST);
	redis_close(&redis);
}

static void what_an_answer_held_that_was_lost_is_read_again(void **state)
{
	struct blocked_read read = { .reader = join("one"), .arena = arena_new(4096) };
	int64_t deadline = clock_now() + PATIENCE;
	pthread_t thread;

	(void)state;
	if (!is_redis())
		return;
	while (!broker_read(read.reader, read.arena, &read.batch, 100, 1))
		assert_true(clock_now() < deadline);
	do {
		assert_int_equal(pthread_create(&thread, NULL, read_once, &read), 0);
		for (int i = 0; i < 200 && !is_blocked(); i++)
			usleep(1000);
		if (is_blocked())
			break;
		pthread_join(thread, NULL);
	} while (clock_now() < deadline);
	lose_an_answer(with.arena);
	pthread_join(thread, NULL);
	assert_false(read.well);
	/* The first of these may find no connection yet. */
	while (!broker_read(read.reader, read.arena, &read.batch, 100, 20) || read.batch.count == 0)
		assert_true(clock_now() < deadline);
	assert_int_equal(read.batch.message[0].length, strlen("lost"));
	assert_memory_equal(read.batch.message[0].body, "lost", strlen("lost"));
	broker_leave(&read.reader);
	arena_free(&read.arena);
}

static void positions_grow(void **state)
{
	struct broker_reader *reader = join("one");
	struct broker_batch batch;
	const char *last[PARTITIONS] = { NULL };
	int64_t deadline = clock_now() + PATIENCE;
	size_t count = 0;

	(void)state;
	publish(0, 500, 20, 50);
	while (count < 500) {
		assert_true(clock_now() < deadline);
		assert_true(broker_read(reader, with.arena, &batch, 100, 20));
		for (size_t i = 0; i < batch.count; i++) {
			const struct broker_delivery *message = &batch.message[i];

			assert_in_range(message->partition, 0, PARTITIONS - 1);
			assert_in_range(message->at_ms, clock_wall() / 1000 - 60000,
			    clock_wall() / 1000 + 60000);
			if (last[message->partition] != NULL)
				assert_string_not_equal(
				    last[message->partition], message->position);
			last[message->partition] = message->position;
		}
		count += batch.count;
		assert_true(broker_acknowledge(reader, &batch));
	}
	broker_leave(&reader);
}

static long long unread(struct broker_reader *reader)
{
	struct broker_lag lag[BROKER_PARTITIONS_MOST];
	size_t count = broker_lags(reader, lag);
	long long sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += lag[i].unread;
	return sum;
}

/* Reads nothing, so that what travels with a renewal is known. */
static void wait_for_lag(struct broker_reader *reader, long long expected)
{
	int64_t deadline = clock_now() + PATIENCE;

	while (unread(reader) != expected) {
		assert_true(clock_now() < deadline);
		broker_hold(reader);
		usleep(10000);
	}
}

static void lag_is_what_is_not_acknowledged(void **state)
{
	struct broker_reader *reader = join("one");
	struct broker_batch batch;
	struct seen seen;

	(void)state;
	begin(&seen);
	publish(0, 100, 10, 10);
	read_until(reader, &seen, 100, 1000, true);
	wait_for_lag(reader, 0);
	publish(100, 250, 10, 25);
	wait_for_lag(reader, 250);
	read_until(reader, &seen, 350, 1000, true);
	wait_for_lag(reader, 0);
	assert_true(broker_read(reader, with.arena, &batch, 10, 0));
	assert_int_equal(batch.count, 0);
	broker_leave(&reader);
}

/* Asks until it is EXPECTED: of Kafka, what was published just now may be counted a little later.
 */
static void wait_for_behind(const char *const *position, long long expected)
{
	int64_t deadline = clock_now() + PATIENCE;

	while (broker_behind(with.broker, with.arena, position) != expected) {
		assert_true(clock_now() < deadline);
		usleep(10000);
	}
}

static void who_looks_on_is_told_what_is_behind_a_position(void **state)
{
	const char *position[BROKER_PARTITIONS_MOST] = { NULL };
	struct broker_reader *reader = join("one");
	int64_t deadline = clock_now() + PATIENCE;
	struct broker_batch batch;
	size_t count = 0;

	(void)state;
	publish(0, 200, 20, 10);
	wait_for_behind(position, 200);
	while (count < 200) {
		assert_true(clock_now() < deadline);
		assert_true(broker_read(reader, with.arena, &batch, 100, 20));
		for (size_t i = 0; i < batch.count; i++)
			position[batch.message[i].partition] = batch.message[i].position;
		count += batch.count;
		assert_true(broker_acknowledge(reader, &batch));
	}
	wait_for_behind(position, 0);
	publish(200, 30, 20, 10);
	wait_for_behind(position, 30);
	broker_leave(&reader);
}

/* Which partitions a reader holds, as bits. */
static unsigned held(struct broker_reader *reader)
{
	struct broker_lag lag[BROKER_PARTITIONS_MOST];
	size_t count = broker_lags(reader, lag);
	unsigned bits = 0;

	for (size_t i = 0; i < count; i++)
		bits |= 1u << lag[i].partition;
	return bits;
}

#define ALL ((1u << PARTITIONS) - 1)

/* Both read until each holds about half. */
static void share(struct broker_reader *one, struct broker_reader *two, struct seen *seen)
{
	int64_t deadline = clock_now() + PATIENCE;
	struct broker_reader *both[] = { one, two };

	while (held(one) == 0 || held(two) == 0 || (held(one) | held(two)) != ALL) {
		assert_true(clock_now() < deadline);
		for (int i = 0; i < 2; i++) {
			struct broker_batch batch;

			if (!broker_read(both[i], with.arena, &batch, 50, 1))
				continue;
			note(seen, &batch);
			assert_true(broker_acknowledge(both[i], &batch));
		}
	}
	assert_int_equal(held(one) & held(two), 0);
}

static void members_share_the_partitions(void **state)
{
	struct broker_reader *one = join("one"), *two;
	int64_t deadline;
	struct seen seen;

	(void)state;
	begin(&seen);
	publish(0, 400, 20, 40);
	read_until(one, &seen, 400, 100, true);
	assert_int_equal(held(one), ALL);
	two = join("two");
	publish(400, 400, 20, 40);
	share(one, two, &seen);
	deadline = clock_now() + PATIENCE;
	publish(800, 200, 20, 40);
	while (seen.count < 1000) {
		struct broker_batch batch;

		assert_true(clock_now() < deadline);
		for (int i = 0; i < 2; i++) {
			struct broker_reader *reader = i == 0 ? one : two;

			assert_true(broker_read(reader, with.arena, &batch, 100, 1));
			note(&seen, &batch);
			assert_true(broker_acknowledge(reader, &batch));
		}
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(seen.times[i], 1);
	broker_leave(&two);
	publish(1000, 100, 20, 10);
	read_until(one, &seen, 1100, 100, true);
	assert_int_equal(held(one), ALL);
	broker_leave(&one);
}

/* As a process that was killed: its lease has to end by itself. */
static void a_silent_member_loses_what_it_holds(void **state)
{
	struct broker_reader *silent = join("one"), *other;
	struct seen seen;

	(void)state;
	begin(&seen);
	publish(0, 300, 20, 30);
	read_until(silent, &seen, 300, 1000, false);
	other = join("two");
	begin(&seen);
	read_until(other, &seen, 300, 1000, true);
	broker_leave(&other);
	broker_leave(&silent);
}

/* --- of Redis alone --- */

static void deliveries_are_counted(void **state)
{
	struct broker_batch batch = { 0 };
	struct broker_reader *reader;

	(void)state;
	publish(0, 1, 1, 1);
	for (long long times = 1; times <= 3; times++) {
		int64_t deadline = clock_now() + PATIENCE;

		reader = join(arena_print(with.arena, "member-%lld", times));
		do
			assert_true(broker_read(reader, with.arena, &batch, 10, 20));
		while (batch.count == 0 && clock_now() < deadline);
		assert_int_equal(batch.count, 1);
		assert_int_equal(batch.message[0].deliveries, times);
		broker_leave(&reader);
	}
}

/* The first one may be what has ended its readers: those behind it are not to be blamed for that.
 */
static void what_was_handed_out_often_comes_alone(void **state)
{
	struct broker_batch batch = { 0 };
	struct broker_reader *reader;

	(void)state;
	publish(0, 5, 1, 1);
	for (int times = 1; times <= 6; times++) {
		int64_t deadline = clock_now() + PATIENCE;

		reader = join(arena_print(with.arena, "member-%d", times));
		do
			assert_true(broker_read(reader, with.arena, &batch, 10, 20));
		while (batch.count == 0 && clock_now() < deadline);
		assert_int_equal(batch.count, times <= 3 ? 5 : 1);
		assert_int_equal(number_of(&batch.message[0]), 0);
		assert_int_equal(batch.message[0].deliveries, times);
		if (times < 6)
			broker_leave(&reader);
	}
	assert_true(broker_acknowledge(reader, &batch));
	do
		assert_true(broker_read(reader, with.arena, &batch, 10, 20));
	while (batch.count == 0);
	assert_int_equal(number_of(&batch.message[0]), 1);
	assert_int_equal(batch.message[0].deliveries, 4);
	broker_leave(&reader);
}

static long long length_of(int partition)
{
	return redis_server_says(
	    "XLEN", arena_print(with.arena, "%s:%d", with.options.stream, partition))
	    .integer;
}

static long long length_of_all(void)
{
	long long sum = 0;

	for (int i = 0; i < PARTITIONS; i++)
		sum += length_of(i);
	return sum;
}

/* Streams are trimmed by whole nodes of up to 100 entries, so not to the last one. */
static void what_any_group_has_not_done_with_is_never_trimmed(void **state)
{
	struct broker_reader *one, *other;
	int64_t deadline = clock_now() + PATIENCE;
	struct seen seen;

	(void)state;
	with.group.keep_ms = 0;
	one = join("one");
	with.group.name = "another";
	other = join("one");
	begin(&seen);
	publish(0, 3000, 20, 1);
	read_until(one, &seen, 3000, 1000, true);
	begin(&seen);
	read_until(other, &seen, 3000, 1000, false);
	for (int i = 0; i < 3; i++) {
		usleep(LEASE_MS * 1000 / 3 + 1000);
		broker_hold(one);
		broker_hold(other);
	}
	assert_int_equal(length_of_all(), 3000);
	broker_leave(&other);
	other = join("two");
	begin(&seen);
	read_until(other, &seen, 3000, 1000, true);
	while (length_of_all() > PARTITIONS * 200) {
		assert_true(clock_now() < deadline);
		broker_hold(one);
		usleep(10000);
	}
	broker_leave(&other);
	broker_leave(&one);
}

static const char *done_then(void *context, struct arena *arena, int partition)
{
	const char *const *positions = context;

	(void)arena;
	return positions[partition];
}

/* The broker has lost the group, but not the messages: the caller knows where it was. */
static void a_group_that_was_lost_goes_on_where_the_caller_was(void **state)
{
	const char *positions[PARTITIONS] = { NULL };
	struct broker_reader *reader = join("one");
	int64_t deadline = clock_now() + PATIENCE;
	struct broker_batch batch;
	struct seen seen;
	size_t count = 0;

	(void)state;
	publish(0, 200, 20, 10);
	while (count < 200) {
		assert_true(clock_now() < deadline);
		assert_true(broker_read(reader, with.arena, &batch, 100, 20));
		for (size_t i = 0; i < batch.count; i++)
			positions[batch.message[i].partition] = batch.message[i].position;
		count += batch.count;
		assert_true(broker_acknowledge(reader, &batch));
	}
	publish(200, 100, 20, 10);
	for (int i = 0; i < PARTITIONS; i++)
		redis_server_says("XGROUP", "DESTROY",
		    arena_print(with.arena, "%s:%d", with.options.stream, i), "group");
	broker_leave(&reader);
	with.group.done = done_then;
	with.group.context = positions;
	reader = join("two");
	begin(&seen);
	read_until(reader, &seen, 100, 1000, true);
	for (int i = 0; i < 300; i++)
		assert_int_equal(seen.times[i], i < 200 ? 0 : 1);
	broker_leave(&reader);
}

static void a_redis_that_forgot_the_scripts_is_told_them(void **state)
{
	struct broker_reader *reader = join("one");
	struct seen seen;

	(void)state;
	begin(&seen);
	publish(0, 100, 20, 10);
	read_until(reader, &seen, 100, 1000, true);
	redis_server_says("SCRIPT", "FLUSH");
	publish(100, 100, 20, 10);
	usleep(LEASE_MS * 1000 / 3 + 1000);
	read_until(reader, &seen, 200, 1000, true);
	broker_leave(&reader);
}

/* --- of Kafka alone --- */

/* Whoever was started with more of them adds them; whoever reads comes to know it. */
/* Whether a read brings something of the last partition. */
static bool reads_of_last(struct broker_reader *reader)
{
	struct broker_batch batch;
	bool found = false;

	assert_true(broker_read(reader, with.arena, &batch, 100, 20));
	for (size_t i = 0; i < batch.count; i++)
		found = found || batch.message[i].partition == PARTITIONS - 1;
	assert_true(broker_acknowledge(reader, &batch));
	return found;
}

static void a_partition_that_is_added_is_read_by_who_is_there(void **state)
{
	static const char *const often[] = { "topic.metadata.refresh.interval.ms=300", NULL };
	struct broker_options options = with.options;
	struct broker *before, *after = with.broker;
	int64_t deadline = clock_now() + PATIENCE;
	struct broker_reader *reader;
	const char *wrong = NULL;
	struct seen seen;

	(void)state;
	options.partitions = PARTITIONS - 1;
	options.more = often;
	before = broker_open(&options, with.arena, &wrong);
	assert_non_null(before);
	with.broker = before;
	publish(0, 100, 20, 10);
	reader = join("one");
	begin(&seen);
	read_until(reader, &seen, 100, 1000, true);
	assert_int_equal(held(reader), ALL >> 1);
	with.broker = after;
	/* Whoever publishes learns of it a little later than who has added it, and so does who
	 * reads. */
	for (int i = 100; !reads_of_last(reader); i++) {
		assert_true(clock_now() < deadline);
		publish(i, 1, 79, 1);
	}
	assert_int_equal(held(reader), ALL);
	broker_leave(&reader);
	broker_close(&before);
}

/* The Kafka of t/lib/Ostler/Kafka.pm has a door of this kind, too. */
static void a_password_is_asked_for(void **state)
{
	static const char *const sasl[] = { "security.protocol=SASL_PLAINTEXT",
		"sasl.mechanism=PLAIN", "sasl.username=ostler", NULL };
	static const char *const secrets[] = { "a secret", "another" };

	(void)state;
	if (getenv("BROKER_GUARDED") == NULL)
		skip();
	for (size_t i = 0; i < COUNT(secrets); i++) {
		struct broker_message message = { "key", "body", 4 };
		struct broker_options options = with.options;
		const char *wrong = NULL;
		struct broker *broker;

		options.where = getenv("BROKER_GUARDED");
		options.more = sasl;
		options.secret = secrets[i];
		options.timeout_ms = i == 0 ? 5000 : 1000;
		broker = broker_open(&options, with.arena, &wrong);
		assert_non_null(broker);
		assert_int_equal(broker_publish(broker, with.arena, &message, 1), i == 0);
		broker_close(&broker);
	}
}

static void settings_of_the_client_that_are_none_are_refused(void **state)
{
	static const char *const none[] = { "compression.codecs=lz4", NULL };
	static const char *const wordless[] = { "sasl.mechanism", NULL };
	struct broker_options options = with.options;
	const char *wrong = NULL;

	(void)state;
	options.where = "kafka:127.0.0.1:9";
	options.more = none;
	assert_null(broker_open(&options, with.arena, &wrong));
	assert_non_null(strstr(wrong, "compression.codecs"));
	options.more = wordless;
	assert_null(broker_open(&options, with.arena, &wrong));
	assert_non_null(strstr(wrong, "\"sasl.mechanism\" is no \"name=value\""));
}

static void a_place_that_is_none_is_refused(void **state)
{
	struct broker_options options = with.options;
	const char *wrong = NULL;

	(void)state;
	options.where = "rabbit:here";
	assert_null(broker_open(&options, with.arena, &wrong));
	assert_non_null(strstr(wrong, "\"rabbit:here\""));
	options.where = "redis:";
	assert_null(broker_open(&options, with.arena, &wrong));
	assert_non_null(wrong);
}

static void a_broker_that_is_gone_takes_nothing(void **state)
{
	struct broker_message message = { "key", "body", 4 };
	struct broker_options options = with.options;
	const char *wrong = NULL;
	struct broker *broker;

	(void)state;
	options.where = is_redis() ? "redis:/nowhere/at/all.sock" : "kafka:127.0.0.1:9";
	options.timeout_ms = 500;
	broker = broker_open(&options, with.arena, &wrong);
	assert_non_null(broker);
	assert_false(broker_publish(broker, with.arena, &message, 1));
	broker_close(&broker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_broker, close_broker)

int main(void)
{
	enum { EVERY, REDIS, KAFKA };
	const struct {
		int which;
		struct CMUnitTest test;
	} all[] = {
		{ EVERY, TEST(what_is_published_is_read_in_the_order_of_its_key) },
		{ EVERY, TEST(a_read_of_nothing_waits_and_brings_nothing) },
		{ EVERY, TEST(what_was_not_acknowledged_is_read_again) },
		{ REDIS, TEST(what_an_answer_held_that_was_lost_is_read_again) },
		{ EVERY, TEST(positions_grow) },
		{ EVERY, TEST(lag_is_what_is_not_acknowledged) },
		{ EVERY, TEST(who_looks_on_is_told_what_is_behind_a_position) },
		{ EVERY, TEST(members_share_the_partitions) },
		{ EVERY, TEST(a_silent_member_loses_what_it_holds) },
		{ REDIS, TEST(deliveries_are_counted) },
		{ REDIS, TEST(what_was_handed_out_often_comes_alone) },
		{ REDIS, TEST(what_any_group_has_not_done_with_is_never_trimmed) },
		{ REDIS, TEST(a_group_that_was_lost_goes_on_where_the_caller_was) },
		{ REDIS, TEST(a_redis_that_forgot_the_scripts_is_told_them) },
		{ KAFKA, TEST(a_partition_that_is_added_is_read_by_who_is_there) },
		{ KAFKA, TEST(a_password_is_asked_for) },
		{ EVERY, TEST(settings_of_the_client_that_are_none_are_refused) },
		{ EVERY, TEST(a_place_that_is_none_is_refused) },
		{ EVERY, TEST(a_broker_that_is_gone_takes_nothing) },
	};
	struct CMUnitTest broker[COUNT(all)];
	const char *where = getenv("BROKER");
	int here = where != NULL && strncmp(where, "kafka:", 6) == 0 ? KAFKA : REDIS;
	size_t count = 0;

	for (size_t i = 0; i < COUNT(all); i++)
		if (all[i].which == EVERY || all[i].which == here)
			broker[count++] = all[i].test;
	return _cmocka_run_group_tests("broker", broker, count, start, end);
}
