/* publish.h - events on their way to the broker; private to core/ and the roles. */
#ifndef CORE_EVENTS_PUBLISH_H
#define CORE_EVENTS_PUBLISH_H

#include "core/event.h"
#include "core/serve/application.h"
#include "store/broker.h"

/* The brokers of all kinds that a program hears; opens no connection yet. */
struct outlets;

struct outlets *outlets_open(
    const struct feature *const *features, const struct broker_options *, struct arena *);
void outlets_close(struct outlets **);

/* A kind's stream; and that of what could not be applied.  NULL: no broker is configured. */
struct broker *outlets_of(const struct outlets *, const struct event_kind *);
struct broker *outlets_of_dead(const struct outlets *, const struct event_kind *);

#endif
