/*
 * redis.c - a bounded pool of connections behind a breaker.
 *
 * The same pool as in db.c, and kept apart on purpose: there a caller waits and
 * hears why; here nobody waits, and the only failure is "no".
 */
#include "store/redis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/breaker.h"
#include "store/resp.h"
#include "store/span.h"
#include "base/waiting.h"

struct redis {
	const struct redis_options *options;
	char *host; /* NULL: the address is a path */
	int port;
	struct timeval timeout;
	struct waiting pool; /* for a connection that is given back */
	redisContext **idle; /* a stack */
	long long idle_count, open;
	struct breaker breaker;
};

static void *must_have(void *memory)
{
	if (memory == NULL)
		die("out of memory");
	return memory;
}

struct redis *redis_open(const struct redis_options *options)
{
	struct redis *redis = must_have(calloc(1, sizeof(*redis)));

	redis->options = options;
	redis->breaker = (struct breaker){ .name = options->name != NULL ? options->name : "redis",
		.retry_ms = options->retry_ms };
	redis->timeout = (struct timeval){ .tv_sec = options->timeout_ms / 1000,
		.tv_usec = options->timeout_ms % 1000 * 1000 };
	redis->idle = must_have(calloc((size_t)options->connections, sizeof(redis->idle[0])));
	if (options->address != NULL && options->address[0] != '/') {
		const char *colon = strrchr(options->address, ':');
		size_t length = colon != NULL ? (size_t)(colon - options->address)
					      : strlen(options->address);

		redis->host = must_have(strndup(options->address, length));
		redis->port = colon != NULL ? atoi(colon + 1) : 6379;
	}
	waiting_init(&redis->pool);
	return redis;
}

void redis_close(struct redis **redis)
{
	if (*redis == NULL)
		return;
	while ((*redis)->idle_count > 0)
		redisFree((*redis)->idle[--(*redis)->idle_count]);
	waiting_destroy(&(*redis)->pool);
	free((*redis)->idle);
	free((*redis)->host);
	free(*redis);
	*redis = NULL;
}

/* --- lending --- */

static redisContext *connect_now(const struct redis *redis)
{
	redisContext *context =
	    redis->host != NULL
		? redisConnectWithTimeout(redis->host, redis->port, redis->timeout)
		: redisConnectUnixWithTimeout(redis->options->address, redis->timeout);

	if (context != NULL && context->err == 0 &&
	    redisSetTimeout(context, redis->timeout) == REDIS_OK)
		return context;
	/* At debug only: the breaker has said it once, and this comes with every try. */
	log_debug("redis: cannot connect: %s", context != NULL ? context->errstr : "out of memory");
	if (context != NULL)
		redisFree(context);
	return NULL;
}

/* Waits for a place in the pool.  False when there is none in time.  Lock held. */
static bool wait_for_place(struct redis *redis)
{
	int64_t deadline = clock_now() + redis->options->timeout_ms * 1000;

	while (redis->idle_count == 0 && redis->open >= redis->options->connections) {
		if (waiting_until(&redis->pool, deadline))
			continue;
		breaker_undecided(&redis->breaker);
		return false;
	}
	return true;
}

/* A place in the pool, and in *CONTEXT an idle connection if there is one. */
static bool take_place(struct redis *redis, redisContext **context)
{
	bool taken;

	*context = NULL;
	pthread_mutex_lock(&redis->pool.lock);
	taken = breaker_admits(&redis->breaker) && wait_for_place(redis);
	if (taken && redis->idle_count > 0)
		*context = redis->idle[--redis->idle_count];
	else if (taken)
		redis->open++;
	pthread_mutex_unlock(&redis->pool.lock);
	return taken;
}

/* CONTEXT is good, or NULL when it had to be closed. */
static void give_back(struct redis *redis, redisContext *context, bool well)
{
	pthread_mutex_lock(&redis->pool.lock);
	if (well)
		breaker_succeeded(&redis->breaker);
	else
		breaker_failed(&redis->breaker);
	if (context != NULL)
		redis->idle[redis->idle_count++] = context;
	else
		redis->open--;
	pthread_cond_signal(&redis->pool.changed);
	pthread_mutex_unlock(&redis->pool.lock);
}

/* --- asking --- */

static void keep_reply(struct arena *arena, const redisReply *from, struct redis_reply *to)
{
	*to = (struct redis_reply){ .kind = REDIS_NOTHING };
	switch (from->type) {
	case REDIS_REPLY_ARRAY:
		to->kind = REDIS_LIST;
		to->length = from->elements;
		to->list = arena_alloc(arena, from->elements * sizeof(*to->list));
		for (size_t i = 0; i < from->elements; i++)
			keep_reply(arena, from->element[i], &to->list[i]);
		return;
	case REDIS_REPLY_INTEGER:
		to->kind = REDIS_INTEGER;
		to->integer = from->integer;
		return;
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
	case REDIS_REPLY_ERROR:
		to->kind = from->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_TEXT;
		to->length = (size_t)from->len;
		to->text = arena_copy(arena, from->str, to->length);
		return;
	default:
		return;
	}
}

/* One round trip on one connection.  False: the connection can only be closed. */
static bool talk(redisContext *context, struct arena *arena, size_t count,
    const struct redis_command *commands, struct redis_reply *replies)
{
	struct buffer bytes;

	buffer_start(&bytes, arena, 256);
	for (size_t i = 0; i < count; i++)
		resp_add(&bytes, &commands[i]);
	redisAppendFormattedCommand(context, bytes.data, bytes.length);
	for (size_t i = 0; i < count; i++) {
		void *reply = NULL;

		if (redisGetReply(context, &reply) != REDIS_OK)
			return false;
		keep_reply(arena, reply, &replies[i]);
		freeReplyObject(reply);
	}
	return true;
}

static bool is_nowhere(const struct redis *redis)
{
	return redis->options->address == NULL || redis->options->address[0] == '\0';
}

static bool run(struct redis *redis, struct arena *arena, size_t count,
    const struct redis_command *commands, struct redis_reply *replies)
{
	redisContext *context;
	bool fresh, well;

	if (is_nowhere(redis) || !take_place(redis, &context))
		return false;
	fresh = context == NULL;
	if (fresh)
		context = connect_now(redis);
	well = context != NULL && talk(context, arena, count, commands, replies);
	if (!well && !fresh && context->err == REDIS_ERR_EOF && !redis->options->once) {
		/* Redis was restarted while the connection rested: worth a new one. */
		redisFree(context);
		context = connect_now(redis);
		well = context != NULL && talk(context, arena, count, commands, replies);
	}
	if (!well && context != NULL) {
		redisFree(context);
		context = NULL;
	}
	give_back(redis, context, well);
	return well;
}

/* The command alone is told: keys and values are people's. */
static void tell(int64_t began, size_t count, const struct redis_command *commands, bool well)
{
	char operation[32];

	snprintf(operation, sizeof(operation), "%s%s", count > 1 ? "PIPELINE " : "",
	    commands[0].words[0]);
	span_tell(began, &(struct span_note){ .name = operation,
			     .kind = SPAN_CLIENT,
			     .failed = !well,
			     .attribute = { { "db.system.name", "redis", 0 },
				 { "db.operation.name", operation, 0 },
				 { "db.operation.batch.size", NULL, count > 1 ? (int)count : 0 },
				 { well ? NULL : "error.type", "unavailable", 0 } } });
}

bool redis_run(struct redis *redis, struct arena *arena, size_t count,
    const struct redis_command *commands, struct redis_reply *replies)
{
	int64_t began = span_is_wanted() ? clock_now() : 0;
	bool well = run(redis, arena, count, commands, replies);

	if (span_is_wanted())
		tell(began, count, commands, well);
	return well;
}

bool redis_insist(struct redis *redis, struct arena *arena, size_t count,
    const struct redis_command *commands, struct redis_reply *replies)
{
	redisContext *context;
	bool well;

	if (is_nowhere(redis))
		return false;
	/* Of its own: the pool's may be full, and what is sent before it is closed will be read. */
	context = connect_now(redis);
	if (context == NULL)
		return false;
	well = talk(context, arena, count, commands, replies);
	redisFree(context);
	return well;
}
