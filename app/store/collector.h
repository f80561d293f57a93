/*
 * collector.h - where spans are sent: an OpenTelemetry collector, by OTLP over HTTP.
 *
 * The module ostler-otlp.so, which libcurl is linked to, is loaded by who opens one: the
 * exporter and no other role.
 */
#ifndef STORE_COLLECTOR_H
#define STORE_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct collector_options {
	const char *url;
	const char *const *headers; /* "Name: value" each, NULL-terminated; NULL: none */
	long long timeout_ms;
};

struct collector_answer {
	int status;              /* of HTTP; 0: there was none */
	long long retry_after_s; /* 0: it did not say */
	const char *why;         /* without a status; in the arena */
};

struct collector_driver {
	/* NULL: *WRONG says why. */
	void *(*open)(const struct collector_options *, struct arena *, const char **wrong);
	void (*close)(void *opened);
	struct collector_answer (*post)(
	    void *opened, struct arena *, const char *json, size_t length);
};

/* What modules/otlp.c exports, under the name COLLECTOR_SYMBOL. */
extern const struct collector_driver collector_otlp;
#define COLLECTOR_FILE   "ostler-otlp.so"
#define COLLECTOR_SYMBOL "collector_otlp"

#endif
