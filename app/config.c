/* config.c - the table of ostler-app.conf(5). */
#include "config.h"

#include "base/log.h"

/* In the order of their descriptors, from 1. */
static const char *const request_logs[] = { "stdout", "stderr", NULL };

/* clang-format off */
const struct section config_table = { .size = sizeof(struct config), .settings = (const struct setting[]){
	{ SETTING(struct config, instance_id), .preset = "", .max = 100,
	    .doc = "Which of several instances this is, in logs and /health. Default: the host's name." },
	{ SETTING(struct config, instance_name), .preset = "ostler", .max = 100,
	    .doc = "What people call this installation." },
	{ SETTING(struct config, threads), .preset = "16", .min = 1, .max = 1024,
	    .doc = "Threads of a web worker: so many requests at once." },
	{ SETTING_AS(struct config, silence, SETTING_DURATION), .preset = "10s", .min = 10, .max = 3600000,
	    .doc = "A connection that falls silent in the middle of a request is closed after this." },
	{ SETTING_AS(struct config, body_limit, SETTING_SIZE), .preset = "1M", .min = 1, .max = 1 << 30,
	    .doc = "The largest body of a request; nginx has a limit of its own." },
	{ SETTING_AS(struct config, idempotency_keep, SETTING_DURATION), .preset = "24h", .min = 1000, .max = 2592000000,
	    .doc = "How long the answer to a request with an Idempotency-Key is kept." },
	{ SETTING(struct config, database), .preset = "dbname=ostler", .max = 1000,
	    .doc = "Where PostgreSQL is, as libpq's key=value text or URI. Empty: no database." },
	{ SETTING(struct config, database_connections), .preset = "8", .min = 1, .max = 1000,
	    .doc = "At most so many connections to PostgreSQL per process." },
	{ SETTING_AS(struct config, database_timeout, SETTING_DURATION), .preset = "2s", .min = 50, .max = 600000,
	    .doc = "A statement ends by then, waiting for a connection included; the server cancels it after three quarters." },
	{ SETTING_AS(struct config, database_retry, SETTING_DURATION), .preset = "1s", .min = 10, .max = 600000,
	    .doc = "After PostgreSQL failed it is asked again this much later." },
	{ SETTING(struct config, cache), .preset = "", .max = 1000,
	    .doc = "Where the cache Redis is: a socket's path or host:port. Empty: no cache." },
	{ SETTING(struct config, cache_connections), .preset = "16", .min = 1, .max = 1000,
	    .doc = "At most so many connections to Redis per process." },
	{ SETTING_AS(struct config, cache_timeout, SETTING_DURATION), .preset = "50ms", .min = 1, .max = 60000,
	    .doc = "A call to Redis ends by then; the request goes on without." },
	{ SETTING_AS(struct config, cache_retry, SETTING_DURATION), .preset = "1s", .min = 10, .max = 600000,
	    .doc = "After Redis failed it is asked again this much later." },
	{ SETTING_AS(struct config, cache_wait, SETTING_DURATION), .preset = "50ms", .min = 1, .max = 60000,
	    .doc = "So long a request waits while another makes the same answer anew." },
	{ SETTING_AS(struct config, cache_lease, SETTING_DURATION), .preset = "5s", .min = 10, .max = 600000,
	    .doc = "Who makes an answer anew has so long; then another may begin." },
	{ SETTING_AS(struct config, cache_stale, SETTING_DURATION), .preset = "60s", .min = 1, .max = 86400000,
	    .doc = "So long beyond its time an answer is kept, to be served while it is made anew." },
	{ SETTING(struct config, demo_user), .preset = "demo", .max = 100,
	    .doc = "Whose tasks everybody sees." },
	{ SETTING(struct config, migrate_database), .preset = "dbname=ostler", .max = 1000,
	    .doc = "Where migrate connects: as the role that owns the tables." },
	{ SETTING(struct config, migrations), .preset = "sql", .max = 4000,
	    .doc = "The folder of numbered migrations." },
	{ SETTING_AS(struct config, log_level, SETTING_CHOICE), .preset = "info", .one_of = log_level_names,
	    .doc = "The least that is logged. A request is a line at info." },
	{ SETTING_AS(struct config, log_format, SETTING_CHOICE), .preset = "json", .one_of = log_format_names,
	    .doc = "How a line looks." },
	{ SETTING_AS(struct config, request_log, SETTING_CHOICE), .preset = "stderr", .one_of = request_logs,
	    .doc = "Where the line of a request goes." },
	{ .name = NULL } } };
/* clang-format on */
