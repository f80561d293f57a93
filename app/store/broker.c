/* broker.c - messages in partitions: which kind of broker, and what holds for all of them. */
#include "store/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/broker_driver.h"
#include "store/module.h"

struct broker {
	const struct broker_driver *driver;
	void *opened;
};

struct broker_reader {
	const struct broker_driver *driver;
	void *joined;
};

static void *must_have(void *memory)
{
	if (memory == NULL)
		die("out of memory");
	return memory;
}

/* The driver that WHERE asks for, and in *REST what it leaves for that. */
static const struct broker_driver *find_driver(
    struct arena *arena, const char *where, const char **rest, const char **wrong)
{
	if (text_starts(where, "redis:")) {
		*rest = where + strlen("redis:");
		return &broker_redis;
	}
	if (text_starts(where, "kafka:")) {
		*rest = where + strlen("kafka:");
		return module_load(arena, BROKER_KAFKA_FILE, BROKER_KAFKA_SYMBOL, wrong);
	}
	*wrong = arena_print(arena,
	    "must be \"redis:/a/socket\", \"redis:host:port\" or \"kafka:host:port,…\", not \"%s\"",
	    where);
	return NULL;
}

struct broker *broker_open(
    const struct broker_options *options, struct arena *arena, const char **wrong)
{
	const char *rest = NULL;
	const struct broker_driver *driver = find_driver(arena, options->where, &rest, wrong);
	struct broker *broker;

	if (driver == NULL)
		return NULL;
	broker = must_have(calloc(1, sizeof(*broker)));
	broker->driver = driver;
	broker->opened = driver->open(options, rest, arena, wrong);
	if (broker->opened != NULL)
		return broker;
	free(broker);
	return NULL;
}

void broker_close(struct broker **broker)
{
	if (*broker == NULL)
		return;
	(*broker)->driver->close((*broker)->opened);
	free(*broker);
	*broker = NULL;
}

bool broker_publish(
    struct broker *broker, struct arena *arena, const struct broker_message *messages, size_t count)
{
	return count == 0 || broker->driver->publish(broker->opened, arena, messages, count);
}

/* --- reading --- */

struct broker_reader *broker_join(struct broker *broker, const struct broker_group *group)
{
	struct broker_reader *reader = must_have(calloc(1, sizeof(*reader)));

	reader->driver = broker->driver;
	reader->joined = broker->driver->join(broker->opened, group);
	return reader;
}

void broker_leave(struct broker_reader **reader)
{
	if (*reader == NULL)
		return;
	(*reader)->driver->leave((*reader)->joined);
	free(*reader);
	*reader = NULL;
}

bool broker_read(struct broker_reader *reader, struct arena *arena, struct broker_batch *batch,
    size_t most, long long wait_ms)
{
	*batch = (struct broker_batch){ 0 };
	return reader->driver->read(reader->joined, arena, batch, most, wait_ms);
}

bool broker_acknowledge(struct broker_reader *reader, const struct broker_batch *batch)
{
	return batch->count == 0 || reader->driver->acknowledge(reader->joined, batch);
}

void broker_hold(struct broker_reader *reader)
{
	reader->driver->hold(reader->joined);
}

size_t broker_lags(
    struct broker_reader *reader, struct broker_lag lag[static BROKER_PARTITIONS_MOST])
{
	return reader->driver->lags(reader->joined, lag);
}

long long broker_behind(struct broker *broker, struct arena *arena,
    const char *const position[static BROKER_PARTITIONS_MOST])
{
	return broker->driver->behind(broker->opened, arena, position);
}
