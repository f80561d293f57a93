/* events.h - what visitors of a shop do, as its two halves know it; private to the feature. */
#ifndef FEATURES_EVENTS_H
#define FEATURES_EVENTS_H

#include "core/core.h"

struct event_product {
	const char *id, *name, *category, *price;
};

struct event {
	const char *event_id, *event_type, *timestamp, *user_id, *session_id;
	const struct event_product *product;
	long long quantity;
	const char *total_amount, *payment_method, *query;
};

extern const struct shape event_shape;

extern const struct event_simulation events_simulation;

event_apply_fn events_apply;
event_refuse_fn events_refuse;

#endif
