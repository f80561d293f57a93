/*
 * kafka_publish.c - a broker that is Kafka: publishing.
 *
 * The producer is idempotent (no retry of it makes a message twice, or changes the
 * order of a partition) and waits for all replicas in sync.  One thread hears what
 * became of the messages; whoever publishes sleeps until that is known of all of theirs.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/modules/kafka.h"

struct producer {
	rd_kafka_t *client;
	pthread_t thread;
	atomic_bool ends;
};

/* One call of kafka_publish: its messages say to it what became of them. */
struct call {
	pthread_mutex_t lock;
	pthread_cond_t decided;
	size_t waiting, failed;
	rd_kafka_resp_err_t error; /* of one that failed */
};

/* --- the producer --- */

static void hear_fate(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
	struct call *call = message->_private;

	(void)client;
	(void)opaque;
	pthread_mutex_lock(&call->lock);
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		call->failed++;
		call->error = message->err;
	}
	if (--call->waiting == 0)
		pthread_cond_signal(&call->decided);
	pthread_mutex_unlock(&call->lock);
}

static void *hear_fates(void *opened)
{
	struct producer *producer = opened;

	while (!producer->ends)
		rd_kafka_poll(producer->client, 100);
	return NULL;
}

/* A message's own deadline is the call's: then it is known to be lost, and the call can end. */
static rd_kafka_conf_t *settings(const struct kafka *kafka, struct arena *arena, const char **wrong)
{
	const char *timeout = arena_print(arena, "%lld", kafka->options->timeout_ms);
	const struct kafka_setting ours[] = { { "enable.idempotence", "true" }, { "acks", "all" },
		{ "compression.codec", "lz4" },
		/* As Java's clients do: keys come to the same partition, whoever publishes. */
		{ "partitioner", "murmur2_random" },
		/* Who publishes waits for it: only what comes at the same time shares a request. */
		{ "linger.ms", "1" }, { "message.timeout.ms", timeout }, { NULL, NULL } };
	rd_kafka_conf_t *conf = kafka_settings(kafka, ours, arena, wrong);

	if (conf != NULL)
		rd_kafka_conf_set_dr_msg_cb(conf, hear_fate);
	return conf;
}

const char *kafka_check_producer(const struct kafka *kafka, struct arena *arena)
{
	const char *wrong = NULL;
	rd_kafka_conf_t *conf = settings(kafka, arena, &wrong);

	if (conf != NULL)
		rd_kafka_conf_destroy(conf);
	return wrong;
}

static struct producer *open_producer(const struct kafka *kafka)
{
	struct arena *arena = arena_new(0);
	struct producer *producer = calloc(1, sizeof(*producer));
	const char *wrong = NULL;
	sigset_t all, before;
	int error;

	if (producer == NULL)
		die("out of memory");
	producer->client = kafka_client(RD_KAFKA_PRODUCER, settings(kafka, arena, &wrong));
	arena_free(&arena);
	if (producer->client == NULL) {
		free(producer);
		return NULL;
	}
	/* Signals are for the threads of the program. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&producer->thread, NULL, hear_fates, producer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		die("pthread_create: %s", strerror(error));
	return producer;
}

/* Nobody uses it any more. */
static void close_producer(struct producer *producer)
{
	producer->ends = true;
	pthread_join(producer->thread, NULL);
	rd_kafka_destroy(producer->client);
	free(producer);
}

void kafka_close_producer(struct kafka *kafka)
{
	if (kafka->producer != NULL)
		close_producer(kafka->producer);
	kafka->producer = NULL;
}

/* An idempotent producer that has lost its count can do no more (a "fatal error"). */
static bool is_usable(const struct producer *producer)
{
	char reason[256];

	return producer != NULL && rd_kafka_fatal_error(producer->client, reason, sizeof(reason)) ==
				       RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* One that is usable, held for reading.  NULL, and nothing held: there is none. */
static struct producer *take_producer(struct kafka *kafka)
{
	pthread_rwlock_rdlock(&kafka->in_use);
	if (is_usable(kafka->producer))
		return kafka->producer;
	pthread_rwlock_unlock(&kafka->in_use);
	pthread_rwlock_wrlock(&kafka->in_use);
	if (!is_usable(kafka->producer)) {
		kafka_close_producer(kafka);
		kafka->producer = open_producer(kafka);
	}
	pthread_rwlock_unlock(&kafka->in_use);
	pthread_rwlock_rdlock(&kafka->in_use);
	if (is_usable(kafka->producer))
		return kafka->producer;
	pthread_rwlock_unlock(&kafka->in_use);
	return NULL;
}

static void give_producer_back(struct kafka *kafka)
{
	pthread_rwlock_unlock(&kafka->in_use);
}

/* --- a call --- */

static void forget_one(struct call *call, rd_kafka_resp_err_t error)
{
	pthread_mutex_lock(&call->lock);
	call->waiting--;
	call->failed++;
	call->error = error;
	pthread_mutex_unlock(&call->lock);
}

/* The client's queue may be full for a moment: then what it holds has to go first. */
static rd_kafka_resp_err_t hand_over(struct kafka *kafka, struct producer *producer,
    struct call *call, const struct broker_message *message)
{
	int64_t deadline = clock_now() + kafka->options->timeout_ms * 1000;
	rd_kafka_resp_err_t error;

	while (
	    (error = rd_kafka_producev(producer->client, RD_KAFKA_V_TOPIC(kafka->options->stream),
		 RD_KAFKA_V_KEY(message->key, strlen(message->key)),
		 RD_KAFKA_V_VALUE((void *)(uintptr_t)message->body, message->length),
		 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(call),
		 RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
	    clock_now() < deadline)
		(void)usleep(1000);
	return error;
}

/* Every message has a deadline, so that this ends. */
static bool wait_for_all(struct call *call)
{
	bool well;

	pthread_mutex_lock(&call->lock);
	while (call->waiting > 0)
		pthread_cond_wait(&call->decided, &call->lock);
	well = call->failed == 0;
	pthread_mutex_unlock(&call->lock);
	if (!well)
		log_warn("kafka takes no message: %s", rd_kafka_err2str(call->error));
	return well;
}

static bool publish(
    struct kafka *kafka, struct producer *producer, const struct broker_message *m, size_t count)
{
	struct call call = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.decided = PTHREAD_COND_INITIALIZER,
		.waiting = count };

	if (!kafka_find_topic(kafka, producer->client))
		return false;
	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t error = hand_over(kafka, producer, &call, &m[i]);

		if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
			forget_one(&call, error);
	}
	return wait_for_all(&call);
}

/* --- looking on --- */

/* Behind the last message that is done, or behind the first that the topic still has. */
static long long behind_in(
    struct kafka *kafka, struct producer *producer, int partition, const char *position)
{
	int64_t first = 0, end = 0, next = position != NULL ? strtoll(position, NULL, 10) + 1 : 0;

	if (rd_kafka_query_watermark_offsets(producer->client, kafka->options->stream, partition,
		&first, &end, (int)kafka->options->timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return -1;
	if (next < first)
		next = first;
	return end > next ? end - next : 0;
}

static long long behind(struct kafka *kafka, struct producer *producer, const char *const *position)
{
	int partitions = kafka_partitions(kafka, producer->client);
	long long sum = partitions < 0 ? -1 : 0;

	for (int i = 0; i < partitions && i < BROKER_PARTITIONS_MOST && sum >= 0; i++) {
		long long more = behind_in(kafka, producer, i, position[i]);

		sum = more < 0 ? -1 : sum + more;
	}
	return sum;
}

/* --- with the producer, unless the breaker is open --- */

static bool is_admitted(struct kafka *kafka)
{
	bool admitted;

	pthread_mutex_lock(&kafka->lock);
	admitted = breaker_admits(&kafka->breaker);
	pthread_mutex_unlock(&kafka->lock);
	return admitted;
}

/* WELL: what PRODUCER, which may be NULL, was taken for was done. */
static void be_done_with(struct kafka *kafka, const struct producer *producer, bool well)
{
	if (producer != NULL)
		give_producer_back(kafka);
	pthread_mutex_lock(&kafka->lock);
	if (well)
		breaker_succeeded(&kafka->breaker);
	else
		breaker_failed(&kafka->breaker);
	pthread_mutex_unlock(&kafka->lock);
}

bool kafka_publish(
    void *opened, struct arena *arena, const struct broker_message *messages, size_t count)
{
	struct kafka *kafka = opened;
	struct producer *producer;
	bool well;

	(void)arena;
	if (!is_admitted(kafka))
		return false;
	producer = take_producer(kafka);
	well = producer != NULL && publish(kafka, producer, messages, count);
	be_done_with(kafka, producer, well);
	return well;
}

long long kafka_behind(void *opened, struct arena *arena, const char *const *position)
{
	struct kafka *kafka = opened;
	struct producer *producer;
	long long sum;

	(void)arena;
	if (!is_admitted(kafka))
		return -1;
	producer = take_producer(kafka);
	sum = producer != NULL ? behind(kafka, producer, position) : -1;
	be_done_with(kafka, producer, sum >= 0);
	return sum;
}
