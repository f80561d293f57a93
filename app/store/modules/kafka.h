/* kafka.h - what the files of the broker Kafka share; private to modules/kafka*.c. */
#ifndef STORE_MODULES_KAFKA_H
#define STORE_MODULES_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "store/breaker.h"
#include "store/broker_driver.h"

struct kafka {
	const struct broker_options *options;
	const char *where;
	pthread_mutex_t lock;      /* of the breaker and the topic */
	struct breaker breaker;    /* of publishing */
	bool topic_is_there;       /* it was looked for, and made where it was not */
	pthread_rwlock_t in_use;   /* of the producer: held by whoever publishes, or replaces it */
	struct producer *producer; /* NULL: nothing was published yet */
};

/* librdkafka's settings: ours, then those of the configuration.  NULL: *WRONG says why. */
struct kafka_setting {
	const char *name, *value;
};
rd_kafka_conf_t *kafka_settings(const struct kafka *, const struct kafka_setting *ours, /* NULL */
    struct arena *, const char **wrong);

/* A client of these settings, which are consumed.  NULL: it was logged why there is none. */
rd_kafka_t *kafka_client(rd_kafka_type_t, rd_kafka_conf_t *);

/*
 * Looks for the topic, makes one that is not there, and adds partitions to one that has fewer
 * than the configuration says.  False: the cluster is not to be had.
 */
bool kafka_find_topic(struct kafka *, rd_kafka_t *) MUST_CHECK;

/* How many partitions the topic has; 0: there is no such topic, -1: nobody could be asked. */
int kafka_partitions(struct kafka *, rd_kafka_t *);

/* --- publishing, and looking on: kafka_publish.c --- */

const char *kafka_check_producer(const struct kafka *, struct arena *); /* NULL: it can be made */
void kafka_close_producer(struct kafka *);
bool kafka_publish(void *broker, struct arena *, const struct broker_message *, size_t count);
long long kafka_behind(void *broker, struct arena *, const char *const *position);

/* --- reading: kafka_read.c --- */

void *kafka_join(void *broker, const struct broker_group *);
void kafka_leave(void *reader);
bool kafka_read(
    void *reader, struct arena *, struct broker_batch *, size_t most, long long wait_ms);
bool kafka_acknowledge(void *reader, const struct broker_batch *);
void kafka_hold(void *reader);
size_t kafka_lags(void *reader, struct broker_lag *);

#endif
