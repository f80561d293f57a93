/* health.h - for the health feature: whether what a process stands on answers. */
#ifndef CORE_SERVE_HEALTH_H
#define CORE_SERVE_HEALTH_H

#include <stdbool.h>

struct request;

/* Each asks now, and is answered at once while the breaker is open. */
bool health_database(struct request *);
bool health_redis(struct request *);

/* Bytes of events that wait on the disk because the broker is away; asks nobody. */
long long health_events_waiting(struct request *);

/* Whether it may be told what stands behind it, and how that is: the web server says so of who
 * asks. */
bool health_is_for_insiders(const struct request *);

struct instance {
	const char *id, *name;
};
struct instance health_instance(struct request *);

#endif
