/*
 * kafka_read.c - a broker that is Kafka: a member of a group that reads.
 *
 * Partitions come and go by Kafka's own rebalancing.  When they are to go, what was
 * read and is in hand is finished and committed first, and only then given back:
 * so that the next one begins behind it.  A member that takes too long for that is
 * thrown out by the cluster, and what it had in hand is read again.
 *
 * Offsets are committed when the caller says so, never by a clock.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/modules/kafka.h"

/* A cluster refuses a session that is shorter, unless it is told otherwise. */
#define SESSION_LEAST_MS 6000

struct part {
	bool held;
	long long done; /* the offset that comes behind what is acknowledged; -1: unknown */
};

struct reader {
	struct kafka *kafka;
	struct broker_group group;
	rd_kafka_t *client; /* NULL: it could not be made yet */
	bool subscribed;
	bool gives_back, leaves;
	bool lost_all;             /* no server of the cluster answers */
	long long in_hand;         /* messages read and not acknowledged */
	rd_kafka_message_t *early; /* came while only a sign of life was wanted */
	int64_t heard_at;          /* clock_now: the last sign of life */
	struct part part[BROKER_PARTITIONS_MOST];
};

/* --- partitions that come and go --- */

static bool is_offset(const char *position)
{
	return position != NULL && *position != '\0' &&
	       position[strspn(position, "0123456789")] == '\0';
}

/* Where to go on in a partition of which the cluster has no offset of ours. */
static int64_t where_to_begin(struct reader *reader, int partition)
{
	const struct broker_group *group = &reader->group;
	struct arena *arena = arena_new(0);
	const char *done = group->done != NULL ? group->done(group->context, arena, partition)
					       : NULL;
	int64_t offset = is_offset(done) ? strtoll(done, NULL, 10) + 1 : RD_KAFKA_OFFSET_BEGINNING;

	arena_free(&arena);
	return offset;
}

/* Of those that begin at a time: the first offset of it. */
static void begin_at_time(struct reader *reader, rd_kafka_topic_partition_list_t *parts)
{
	int timeout = (int)reader->kafka->options->timeout_ms;

	for (int i = 0; i < parts->cnt; i++)
		parts->elems[i].offset = reader->group.from_ms;
	if (rd_kafka_offsets_for_times(reader->client, parts, timeout) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		log_warn("kafka: cannot find where to begin: everything is read");
	for (int i = 0; i < parts->cnt; i++)
		if (parts->elems[i].offset == reader->group.from_ms)
			parts->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
}

static void find_beginnings(struct reader *reader, rd_kafka_topic_partition_list_t *parts)
{
	int timeout = (int)reader->kafka->options->timeout_ms;
	rd_kafka_topic_partition_list_t *from = rd_kafka_topic_partition_list_copy(parts);

	if (reader->group.from_ms > 0)
		begin_at_time(reader, from);
	/* Without an answer the offsets stay "as committed": the client asks for them itself. */
	if (rd_kafka_committed(reader->client, parts, timeout) != RD_KAFKA_RESP_ERR_NO_ERROR)
		log_warn("kafka: cannot ask how far the group is");
	else
		for (int i = 0; i < parts->cnt; i++)
			if (parts->elems[i].offset < 0)
				parts->elems[i].offset = reader->group.from_ms > 0
							     ? from->elems[i].offset
							     : where_to_begin(reader,
								   parts->elems[i].partition);
	rd_kafka_topic_partition_list_destroy(from);
}

static void take_partitions(struct reader *reader, rd_kafka_topic_partition_list_t *parts)
{
	find_beginnings(reader, parts);
	for (int i = 0; i < parts->cnt; i++) {
		int partition = parts->elems[i].partition;

		if (partition >= BROKER_PARTITIONS_MOST)
			die("kafka: topic %s has more than %d partitions",
			    reader->kafka->options->stream, BROKER_PARTITIONS_MOST);
		reader->part[partition] = (struct part){ true, parts->elems[i].offset };
		log_info("partition %d is ours", partition);
	}
	rd_kafka_assign(reader->client, parts);
}

static void give_back(struct reader *reader)
{
	if (reader->early != NULL)
		rd_kafka_message_destroy(reader->early);
	reader->early = NULL;
	reader->gives_back = false;
	reader->in_hand = 0;
	memset(reader->part, 0, sizeof(reader->part));
	rd_kafka_assign(reader->client, NULL);
}

/* Called within rd_kafka_consumer_poll.  To give them back is due, but has time till all is done.
 */
static void hear_of_partitions(rd_kafka_t *client, rd_kafka_resp_err_t what,
    rd_kafka_topic_partition_list_t *parts, void *opaque)
{
	struct reader *reader = opaque;

	if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		take_partitions(reader, parts);
		return;
	}
	if (reader->in_hand == 0 || reader->leaves || rd_kafka_assignment_lost(client))
		give_back(reader);
	else
		reader->gives_back = true;
}

static void hear_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
	struct reader *reader = opaque;

	(void)client;
	if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		reader->lost_all = true;
	else
		log_info("kafka: %s", reason);
}

/* --- joining and leaving --- */

static bool open_client(struct reader *reader)
{
	struct arena *arena = arena_new(0);
	long long lease_ms = reader->group.lease_ms > SESSION_LEAST_MS ? reader->group.lease_ms
								       : SESSION_LEAST_MS;
	const char *lease = arena_print(arena, "%lld", lease_ms), *wrong = NULL;
	const struct kafka_setting ours[] = { { "group.id", reader->group.name },
		{ "client.id", reader->group.member }, { "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" }, { "auto.offset.reset", "earliest" },
		{ "partition.assignment.strategy", "range" },
		{ "allow.auto.create.topics", "false" }, { "session.timeout.ms", lease },
		{ "max.poll.interval.ms", lease }, { NULL, NULL } };
	rd_kafka_conf_t *conf = kafka_settings(reader->kafka, ours, arena, &wrong);

	if (conf == NULL) {
		log_error("kafka: %s", wrong);
	} else {
		rd_kafka_conf_set_opaque(conf, reader);
		rd_kafka_conf_set_rebalance_cb(conf, hear_of_partitions);
		rd_kafka_conf_set_error_cb(conf, hear_error);
		reader->client = kafka_client(RD_KAFKA_CONSUMER, conf);
	}
	arena_free(&arena);
	if (reader->client == NULL)
		return false;
	rd_kafka_poll_set_consumer(reader->client);
	return true;
}

static bool subscribe(struct reader *reader)
{
	rd_kafka_topic_partition_list_t *topics;
	rd_kafka_resp_err_t error;

	if (reader->client == NULL && !open_client(reader))
		return false;
	if (!kafka_find_topic(reader->kafka, reader->client))
		return false;
	topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(
	    topics, reader->kafka->options->stream, RD_KAFKA_PARTITION_UA);
	error = rd_kafka_subscribe(reader->client, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	reader->subscribed = error == RD_KAFKA_RESP_ERR_NO_ERROR;
	if (!reader->subscribed)
		log_warn("kafka: cannot join a group: %s", rd_kafka_err2str(error));
	return reader->subscribed;
}

void *kafka_join(void *opened, const struct broker_group *group)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		die("out of memory");
	*reader = (struct reader){ .kafka = opened, .group = *group };
	return reader;
}

void kafka_leave(void *joined)
{
	struct reader *reader = joined;

	reader->leaves = true;
	if (reader->client != NULL) {
		if (reader->gives_back)
			give_back(reader);
		else if (reader->early != NULL)
			rd_kafka_message_destroy(reader->early);
		reader->early = NULL;
		rd_kafka_consumer_close(reader->client);
		rd_kafka_destroy(reader->client);
	}
	free(reader);
}

/* --- reading --- */

/* One message of a partition that we hold and keep; NULL: there is none within WAIT_MS. */
static rd_kafka_message_t *next_message(struct reader *reader, long long wait_ms)
{
	rd_kafka_message_t *message = reader->early;

	reader->early = NULL;
	if (message == NULL)
		message = rd_kafka_consumer_poll(reader->client, (int)wait_ms);
	reader->heard_at = clock_now();
	if (message == NULL)
		return NULL;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && !reader->gives_back &&
	    reader->part[message->partition].held) {
		reader->lost_all = false;
		return message;
	}
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		log_info("kafka: %s", rd_kafka_message_errstr(message));
	rd_kafka_message_destroy(message);
	return NULL;
}

static struct broker_delivery delivery_of(const rd_kafka_message_t *message, struct arena *arena)
{
	rd_kafka_timestamp_type_t type;

	return (struct broker_delivery){ .partition = message->partition,
		.position = arena_print(arena, "%lld", (long long)message->offset),
		.at_ms = rd_kafka_message_timestamp(message, &type),
		.deliveries = 1,
		.body = arena_copy(arena, message->payload, message->len),
		.length = message->len };
}

bool kafka_read(
    void *joined, struct arena *arena, struct broker_batch *batch, size_t most, long long wait_ms)
{
	struct reader *reader = joined;
	rd_kafka_message_t *message;

	if (!reader->subscribed && !subscribe(reader))
		return false;
	if (reader->gives_back && reader->in_hand == 0)
		give_back(reader);
	message = next_message(reader, wait_ms);
	if (message == NULL && reader->lost_all) {
		reader->lost_all = false;
		return false;
	}
	if (message != NULL)
		batch->message = arena_alloc(arena, most * sizeof(*batch->message));
	while (message != NULL) {
		batch->message[batch->count++] = delivery_of(message, arena);
		reader->in_hand++;
		rd_kafka_message_destroy(message);
		message = batch->count < most ? next_message(reader, 0) : NULL;
	}
	return true;
}

void kafka_hold(void *joined)
{
	struct reader *reader = joined;

	if (reader->subscribed && reader->early == NULL &&
	    clock_now() >= reader->heard_at + reader->group.lease_ms * 1000 / 3)
		reader->early = next_message(reader, 0);
}

/* --- acknowledging --- */

bool kafka_acknowledge(void *joined, const struct broker_batch *batch)
{
	struct reader *reader = joined;
	rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(8);
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (size_t i = 0; i < batch->count; i++) {
		const struct broker_delivery *message = &batch->message[i];
		long long next = strtoll(message->position, NULL, 10) + 1;

		/* What is another's by now is for that one to commit. */
		if (reader->part[message->partition].held)
			reader->part[message->partition].done = next;
	}
	for (int i = 0; i < BROKER_PARTITIONS_MOST; i++)
		if (reader->part[i].held && reader->part[i].done >= 0)
			rd_kafka_topic_partition_list_add(
			    offsets, reader->kafka->options->stream, i)
			    ->offset = reader->part[i].done;
	if (offsets->cnt > 0)
		error = rd_kafka_commit(reader->client, offsets, reader->gives_back ? 0 : 1);
	rd_kafka_topic_partition_list_destroy(offsets);
	reader->in_hand -= (long long)batch->count;
	if (reader->in_hand < 0)
		reader->in_hand = 0;
	if (reader->gives_back && reader->in_hand == 0)
		give_back(reader);
	return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

size_t kafka_lags(void *joined, struct broker_lag *lag)
{
	const struct reader *reader = joined;
	size_t count = 0;

	for (int i = 0; i < BROKER_PARTITIONS_MOST; i++) {
		int64_t first = 0, end = 0;
		const struct part *part = &reader->part[i];

		if (!part->held)
			continue;
		/* As the last fetch has told: nobody is asked. */
		rd_kafka_get_watermark_offsets(
		    reader->client, reader->kafka->options->stream, i, &first, &end);
		if (first < part->done)
			first = part->done;
		lag[count++] = (struct broker_lag){ i, end > first ? end - first : 0 };
	}
	return count;
}
