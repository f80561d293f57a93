/*
 * kafka.c - a broker that is Kafka: the module ostler-kafka.so; its settings and its topic.
 *
 * Nothing is kept here that Kafka keeps: a partition is a partition, a group is a
 * group, a position is an offset.  What is ours is when a message counts as done.
 *
 * https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md
 */
#include "store/modules/kafka.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* --- settings --- */

/* What librdkafka says of itself is of our log.  Its levels are those of syslog(3). */
static void take_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
	enum log_level ours = level <= 4 ? LOG_WARN : level <= 6 ? LOG_INFO : LOG_DEBUG;

	(void)client;
	log_message(ours, "kafka: %s: %s", facility, text);
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct arena *arena,
    const char **wrong)
{
	char reason[256];

	if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
		return true;
	*wrong = arena_print(arena, "librdkafka takes no %s: %s", name, reason);
	return false;
}

/* "name=value" of the configuration. */
static bool set_further(
    rd_kafka_conf_t *conf, const char *setting, struct arena *arena, const char **wrong)
{
	const char *equals = strchr(setting, '=');

	if (equals != NULL && equals != setting)
		return set(conf, arena_copy(arena, setting, (size_t)(equals - setting)), equals + 1,
		    arena, wrong);
	*wrong = arena_print(arena, "\"%s\" is no \"name=value\"", setting);
	return false;
}

rd_kafka_conf_t *kafka_settings(const struct kafka *kafka, const struct kafka_setting *ours,
    struct arena *arena, const char **wrong)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const char *const *further = kafka->options->more;
	bool well = set(conf, "bootstrap.servers", kafka->where, arena, wrong) &&
		    set(conf, "client.id", "ostler", arena, wrong) &&
		    /* A broker that is back is asked again as soon as a caller would. */
		    set(conf, "reconnect.backoff.max.ms", "1000", arena, wrong) &&
		    /* Partitions that were added are seen within so long. */
		    set(conf, "topic.metadata.refresh.interval.ms", "10000", arena, wrong);

	rd_kafka_conf_set_log_cb(conf, take_log);
	if (well && kafka->options->secret != NULL)
		well = set(conf, "sasl.password", kafka->options->secret, arena, wrong);
	for (; well && ours->name != NULL; ours++)
		well = set(conf, ours->name, ours->value, arena, wrong);
	for (; well && further != NULL && *further != NULL; further++)
		well = set_further(conf, *further, arena, wrong);
	if (well)
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

rd_kafka_t *kafka_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char reason[512];
	rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof(reason));

	if (client != NULL)
		return client;
	rd_kafka_conf_destroy(conf);
	log_error("kafka: there is no client: %s", reason);
	return NULL;
}

/* --- the topic --- */

int kafka_partitions(struct kafka *kafka, rd_kafka_t *client)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(client, kafka->options->stream, NULL);
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t error;
	int count = -1;

	error = rd_kafka_metadata(client, 0, topic, &metadata, (int)kafka->options->timeout_ms);
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1) {
		error = metadata->topics[0].err;
		if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
			count = metadata->topics[0].partition_cnt;
		else if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
			count = 0;
	}
	if (count < 0)
		log_warn("kafka: cannot look for the topic %s: %s", kafka->options->stream,
		    rd_kafka_err2str(error));
	if (metadata != NULL)
		rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
	return count;
}

/* The fate of the one topic that an admin call was about. */
static rd_kafka_resp_err_t result_of(rd_kafka_event_t *event, bool created)
{
	const rd_kafka_topic_result_t **results;
	size_t count = 0;

	if (event == NULL)
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return rd_kafka_event_error(event);
	results = created ? rd_kafka_CreateTopics_result_topics(
				rd_kafka_event_CreateTopics_result(event), &count)
			  : rd_kafka_CreatePartitions_result_topics(
				rd_kafka_event_CreatePartitions_result(event), &count);
	return count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
}

static rd_kafka_resp_err_t create_topic(struct kafka *kafka, rd_kafka_t *client)
{
	char reason[256];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	/* -1: as many copies as the cluster makes of any topic. */
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
	    kafka->options->stream, (int)kafka->options->partitions, -1, reason, sizeof(reason));
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__INVALID_ARG;

	if (topic != NULL) {
		rd_kafka_event_t *event;

		rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
		event = rd_kafka_queue_poll(queue, (int)kafka->options->timeout_ms);
		error = result_of(event, true);
		rd_kafka_event_destroy(event);
		rd_kafka_NewTopic_destroy(topic);
	}
	rd_kafka_queue_destroy(queue);
	return error;
}

static rd_kafka_resp_err_t add_partitions(struct kafka *kafka, rd_kafka_t *client)
{
	char reason[256];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(
	    kafka->options->stream, (size_t)kafka->options->partitions, reason, sizeof(reason));
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__INVALID_ARG;

	if (more != NULL) {
		rd_kafka_event_t *event;

		rd_kafka_CreatePartitions(client, &more, 1, NULL, queue);
		event = rd_kafka_queue_poll(queue, (int)kafka->options->timeout_ms);
		error = result_of(event, false);
		rd_kafka_event_destroy(event);
		rd_kafka_NewPartitions_destroy(more);
	}
	rd_kafka_queue_destroy(queue);
	return error;
}

/* Several processes may come to it at once: what another has done is done. */
static bool is_settled(const struct kafka *kafka, rd_kafka_resp_err_t error, const char *what)
{
	const char *topic = kafka->options->stream;

	if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
		log_info("kafka: %s of topic %s: done", what, topic);
	else if (error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS &&
		 error != RD_KAFKA_RESP_ERR_INVALID_PARTITIONS)
		log_warn("kafka: %s of topic %s: %s", what, topic, rd_kafka_err2str(error));
	return error != RD_KAFKA_RESP_ERR__TIMED_OUT && error != RD_KAFKA_RESP_ERR__TRANSPORT;
}

static bool find_topic(struct kafka *kafka, rd_kafka_t *client)
{
	int partitions = kafka_partitions(kafka, client);

	if (partitions < 0)
		return false;
	if (partitions == 0)
		return is_settled(kafka, create_topic(kafka, client), "the making");
	if (partitions < (int)kafka->options->partitions)
		return is_settled(kafka, add_partitions(kafka, client), "more partitions");
	return true;
}

bool kafka_find_topic(struct kafka *kafka, rd_kafka_t *client)
{
	bool there;

	pthread_mutex_lock(&kafka->lock);
	if (!kafka->topic_is_there)
		kafka->topic_is_there = find_topic(kafka, client);
	there = kafka->topic_is_there;
	pthread_mutex_unlock(&kafka->lock);
	return there;
}

/* --- the driver --- */

static void close_broker(void *opened)
{
	struct kafka *kafka = opened;

	kafka_close_producer(kafka);
	pthread_rwlock_destroy(&kafka->in_use);
	pthread_mutex_destroy(&kafka->lock);
	free(kafka);
}

static void *open_broker(const struct broker_options *options, const char *where,
    struct arena *arena, const char **wrong)
{
	struct kafka *kafka = calloc(1, sizeof(*kafka));

	if (kafka == NULL)
		die("out of memory");
	*kafka = (struct kafka){ .options = options,
		.where = where,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.breaker = { .name = "kafka", .retry_ms = options->retry_ms },
		.in_use = PTHREAD_RWLOCK_INITIALIZER };
	*wrong = *where != '\0' ? kafka_check_producer(kafka, arena)
				: "names no server behind \"kafka:\"";
	if (*wrong == NULL)
		return kafka;
	close_broker(kafka);
	return NULL;
}

const struct broker_driver broker_kafka = { .open = open_broker,
	.close = close_broker,
	.publish = kafka_publish,
	.join = kafka_join,
	.leave = kafka_leave,
	.read = kafka_read,
	.acknowledge = kafka_acknowledge,
	.hold = kafka_hold,
	.lags = kafka_lags,
	.behind = kafka_behind };
