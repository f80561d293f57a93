/* publish.h - events on their way to the broker; private to core/ and the roles. */
#ifndef CORE_EVENTS_PUBLISH_H
#define CORE_EVENTS_PUBLISH_H

#include "core/event.h"
#include "core/serve/application.h"
#include "store/broker.h"
#include "store/spool.h"

/* The brokers of all kinds that a program hears; opens no connection yet. */
struct outlets;

struct outlets *outlets_open(
    const struct feature *const *features, const struct broker_options *, struct arena *);
void outlets_close(struct outlets **);

/*
 * From now on what a broker does not take waits in a folder of its kind below that of OPTIONS, and
 * is drained into the broker when that is back.
 */
void outlets_keep(struct outlets *, const struct spool_options *, struct arena *);

/* Each event of LIST, structs of the kind's shape, as a message. */
struct broker_message *events_write(struct arena *, const struct event_kind *, const struct list *);

/* Publishes, or keeps what the broker does not take.  False: some of it is in neither. */
bool outlets_publish(const struct outlets *, const struct event_kind *, struct arena *,
    const struct broker_message *, size_t count) MUST_CHECK;

/* Bytes that wait in spools until their broker is back. */
long long outlets_waiting(const struct outlets *);

/* A kind's stream; and that of what could not be applied.  NULL: no broker is configured. */
struct broker *outlets_called(
    const struct outlets *, const char *kind); /* NULL, too: no such kind */
struct broker *outlets_of(const struct outlets *, const struct event_kind *);
struct broker *outlets_of_dead(const struct outlets *, const struct event_kind *);

#endif
