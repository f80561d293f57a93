/* broker_driver.h - what a kind of broker must be able to do; private to broker*.c. */
#ifndef STORE_BROKER_DRIVER_H
#define STORE_BROKER_DRIVER_H

#include "store/broker.h"

/* The functions promise what those of broker.h do; BROKER and READER are what open and join made.
 */
struct broker_driver {
	/* WHERE is the option without its "redis:" or "kafka:". */
	void *(*open)(
	    const struct broker_options *, const char *where, struct arena *, const char **wrong);
	void (*close)(void *broker);
	bool (*publish)(void *broker, struct arena *, const struct broker_message *, size_t count);
	void *(*join)(void *broker, const struct broker_group *);
	void (*leave)(void *reader);
	bool (*read)(
	    void *reader, struct arena *, struct broker_batch *, size_t most, long long wait_ms);
	bool (*acknowledge)(void *reader, const struct broker_batch *);
	void (*hold)(void *reader);
	size_t (*lags)(void *reader, struct broker_lag *);
	long long (*behind)(void *broker, struct arena *, const char *const *position);
};

extern const struct broker_driver broker_redis; /* broker_redis.c */

/* What modules/kafka.c exports, under the name BROKER_KAFKA_SYMBOL. */
extern const struct broker_driver broker_kafka;
#define BROKER_KAFKA_FILE   "ostler-kafka.so"
#define BROKER_KAFKA_SYMBOL "broker_kafka"

#endif
