/*
 * config.c - the table of ostler-app.conf(5).
 *
 * The one place where a setting is named.  The file is checked by this table, the
 * manual page is compared with it (t/manual.t), and `settings` prints it; a setting
 * that is not used by a role costs it nothing, so that all roles share one file.
 */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "core/answer/cors.h"

/* In the order of their descriptors, from 1. */
static const char *const request_logs[] = { "stdout", "stderr", NULL };

/* What a mistake would open to everybody, or to nobody, without a word. */
static void check_origins(const void *filled, struct complaints *complaints)
{
	const struct config *config = filled;
	const struct words *origins = &config->cors_origins;

	for (size_t i = 0; i < origins->count; i++) {
		const char *origin = origins->word[i];

		if (strcmp(origin, "*") != 0 && !cors_is_origin(origin))
			settings_complain(complaints, filled, "cors_origins",
			    "\"%s\" is no origin: it must look like https://app.example:8443, "
			    "without a path",
			    origin);
		else if (*origin == '*' && origins->count > 1)
			settings_complain(complaints, filled, "cors_origins",
			    "\"*\" means every origin, so it must stand alone");
		else if (*origin == '*' && config->cors_credentials)
			settings_complain(complaints, filled, "cors_credentials",
			    "every page of the web could act for whoever is signed in: name the "
			    "origins instead of \"*\"");
	}
}

/* clang-format off */
const struct section config_table = { .size = sizeof(struct config), .check = check_origins, .settings = (const struct setting[]){
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
	{ SETTING(struct config, uploads), .preset = "/var/tmp", .max = 4000,
	    .doc = "The folder in which a file that is sent stays until its request ends." },
	{ SETTING(struct config, object_store), .preset = "", .max = 4000,
	    .doc = "Where files are kept: \"file:/a/folder\", \"s3:bucket\" or \"s3:bucket/prefix\". Empty: nowhere." },
	{ SETTING(struct config, object_endpoint), .max = 1000,
	    .doc = "Of s3: the server, as https://host[:port]." },
	{ SETTING(struct config, object_region), .preset = "us-east-1", .max = 100,
	    .doc = "Of s3: the region that requests are signed for." },
	{ SETTING(struct config, object_access_key), .max = 200,
	    .doc = "Of s3: the access key. None: AWS_ACCESS_KEY_ID of the environment." },
	{ SETTING(struct config, object_secret_file), .max = 4000,
	    .doc = "Of s3: a file with the secret key. None: AWS_SECRET_ACCESS_KEY of the environment." },
	{ SETTING_AS(struct config, object_timeout, SETTING_DURATION), .preset = "10s", .min = 100, .max = 600000,
	    .doc = "Of s3: how long connecting may take, and a transfer may stand still." },
	{ SETTING_AS(struct config, idempotency_keep, SETTING_DURATION), .preset = "24h", .min = 1000, .max = 2592000000,
	    .doc = "How long the answer to a request with an Idempotency-Key is kept." },
	{ SETTING(struct config, cors_origins), .max = 100,
	    .doc = "The origins of other sites whose pages may read answers; \"*\": all. None: none." },
	{ SETTING(struct config, cors_credentials), .preset = "false",
	    .doc = "Whether those pages may send cookies, and ask for changes with them." },
	{ SETTING_AS(struct config, cors_max_age, SETTING_DURATION), .preset = "10m", .max = 86400000,
	    .doc = "How long a browser remembers what such a page may ask." },
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
	{ SETTING(struct config, limit_read), .preset = "60000", .min = 1, .max = 1000000000,
	    .doc = "So many requests that change nothing may come from one user, or one address of nobody signed in, in a window." },
	{ SETTING(struct config, limit_write), .preset = "12000", .min = 1, .max = 1000000000,
	    .doc = "The same of requests that change something." },
	{ SETTING(struct config, limit_expensive), .preset = "600", .min = 1, .max = 1000000000,
	    .doc = "The same of requests that cost more than others." },
	{ SETTING(struct config, limit_probe), .preset = "60000", .min = 1, .max = 1000000000,
	    .doc = "The same of /ping, /live, /ready and /health." },
	{ SETTING_AS(struct config, limit_window, SETTING_DURATION), .preset = "60s", .min = 1000, .max = 86400000,
	    .doc = "The window of these limits; what was used grows back evenly." },
	{ SETTING(struct config, jobs_batch), .preset = "100", .min = 1, .max = 1000,
	    .doc = "At most so many jobs are claimed at once: of quick ones; slow ones go one by one." },
	{ SETTING_AS(struct config, jobs_lease, SETTING_DURATION), .preset = "30s", .min = 500, .max = 3600000,
	    .doc = "A claimed job goes to another worker when its own has not been heard of for so long." },
	{ SETTING_AS(struct config, jobs_beat, SETTING_DURATION), .preset = "1s", .min = 20, .max = 600000,
	    .doc = "Between two looks at a job that runs: its progress is written, a cancellation heard." },
	{ SETTING_AS(struct config, jobs_idle, SETTING_DURATION), .preset = "1s", .min = 1, .max = 600000,
	    .doc = "A worker that nobody wakes looks for work at least so often." },
	{ SETTING_AS(struct config, jobs_upkeep, SETTING_DURATION), .preset = "250ms", .min = 10, .max = 600000,
	    .doc = "Between two looks for jobs that are due." },
	{ SETTING_AS(struct config, jobs_finish, SETTING_DURATION), .preset = "20s", .min = 10, .max = 86400000,
	    .doc = "A job that runs when its worker is told to end has so long before it is told to stop." },
	{ SETTING(struct config, jobs_history), .preset = "14", .min = 1, .max = 3650,
	    .doc = "Days that ended jobs are kept." },
	{ SETTING_AS(struct config, jobs_database_timeout, SETTING_DURATION), .preset = "60s", .min = 50, .max = 86400000,
	    .doc = "What database_timeout is, for the statements of jobs." },
	{ SETTING(struct config, mail), .preset = "", .max = 1000,
	    .doc = "How letters leave: \"smtp://host[:port]\", \"smtps://host[:port]\", or \"log\" while developing. Empty: they wait." },
	{ SETTING(struct config, mail_from), .max = 254,
	    .doc = "Of smtp: the address that letters are from." },
	{ SETTING(struct config, mail_user), .max = 254,
	    .doc = "Of smtp: whom to sign in as. None: nobody." },
	{ SETTING(struct config, mail_secret_file), .max = 4000,
	    .doc = "Of smtp: a file with that user's password." },
	{ SETTING_AS(struct config, mail_timeout, SETTING_DURATION), .preset = "30s", .min = 100, .max = 90000,
	    .doc = "Of smtp: a letter has left by then, or is tried again later." },
	{ SETTING(struct config, site), .preset = "http://localhost:8080", .max = 1000,
	    .doc = "Where people find this, as https://host[:port]: what links in letters begin with." },
	{ SETTING(struct config, broker), .preset = "", .max = 1000,
	    .doc = "Where events wait: \"redis:/a/socket\", \"redis:host:port\" or \"kafka:host:port,…\". Empty: nowhere, none are taken." },
	{ SETTING(struct config, broker_settings), .max = 100,
	    .doc = "Of Kafka: further settings of librdkafka, each as \"name=value\": TLS, SASL and others." },
	{ SETTING(struct config, broker_partitions), .preset = "8", .min = 1, .max = 256,
	    .doc = "The streams of Redis, or the least partitions of Kafka's topic, by who caused an event. So many consumers can share them." },
	{ SETTING(struct config, broker_connections), .preset = "8", .min = 1, .max = 1000,
	    .doc = "At most so many connections per process to publish on." },
	{ SETTING_AS(struct config, broker_timeout, SETTING_DURATION), .preset = "2s", .min = 10, .max = 600000,
	    .doc = "A call to the broker ends by then." },
	{ SETTING_AS(struct config, broker_retry, SETTING_DURATION), .preset = "1s", .min = 10, .max = 600000,
	    .doc = "After the broker failed it is asked again this much later." },
	{ SETTING_AS(struct config, broker_keep, SETTING_DURATION), .preset = "1m", .max = 2592000000,
	    .doc = "Of Redis: so long what was applied stays in its stream. What was not stays in any case." },
	{ SETTING(struct config, consume_group), .preset = "apply", .min = 1, .max = 100,
	    .doc = "Consumers of one group share the events; another group gets all of them once more." },
	{ SETTING(struct config, consume_batch), .preset = "1000", .min = 1, .max = 1000,
	    .doc = "At most so many events are applied at once." },
	{ SETTING_AS(struct config, consume_linger, SETTING_DURATION), .preset = "5ms", .max = 10000,
	    .doc = "A batch that is not full waits so long for more." },
	{ SETTING_AS(struct config, consume_lease, SETTING_DURATION), .preset = "3s", .min = 100, .max = 600000,
	    .doc = "The partitions of a consumer that was not heard of for so long go to the others." },
	{ SETTING(struct config, consume_deliveries), .preset = "10", .min = 4, .max = 1000000,
	    .doc = "Of Redis: an event that was handed out so often, its consumer ending each time, is a dead letter." },
	{ SETTING_AS(struct config, consume_database_timeout, SETTING_DURATION), .preset = "10s", .min = 50, .max = 86400000,
	    .doc = "What database_timeout is, for the statements of consumers." },
	{ SETTING(struct config, event_days), .preset = "7", .min = 1, .max = 3650,
	    .doc = "Days that events are kept one by one; what they add up to is kept longer. An older one is a dead letter." },
	{ SETTING_AS(struct config, audit_window, SETTING_DURATION), .preset = "1m", .min = 10, .max = 3600000,
	    .doc = "Refusals that are alike and come within this become one line of the audit." },
	{ SETTING(struct config, audit_keep), .preset = "0", .min = 0, .max = 36500,
	    .doc = "Days that lines of the audit are kept; older ones are deleted by migrate. 0: for ever." },
	{ SETTING(struct config, keys), .preset = "", .max = 4000,
	    .doc = "The folder of the keys that sign tokens and seal secrets at rest. Empty: no tokens, no second factor." },
	{ SETTING(struct config, token_issuer), .preset = "ostler", .min = 1, .max = 200,
	    .doc = "Who issues tokens: their \"iss\"; another issuer's are refused." },
	{ SETTING(struct config, token_audience), .preset = "ostler-api", .min = 1, .max = 200,
	    .doc = "Whom tokens are for: their \"aud\"; those for others are refused." },
	{ SETTING_AS(struct config, token_lifetime, SETTING_DURATION), .preset = "15m", .min = 1000, .max = 86400000,
	    .doc = "How long an access token is valid." },
	{ SETTING_AS(struct config, refresh_lifetime, SETTING_DURATION), .preset = "30d", .min = 1000, .max = 31536000000,
	    .doc = "How long a client may go on refreshing before it has to show its secret again." },
	{ SETTING(struct config, totp_issuer), .preset = "Ostler", .min = 1, .max = 100,
	    .doc = "How an authenticator app calls this installation." },
	{ SETTING_AS(struct config, session_idle, SETTING_DURATION), .preset = "7d", .min = 1000, .max = 31536000000,
	    .doc = "Who does nothing for so long is signed out." },
	{ SETTING_AS(struct config, session_life, SETTING_DURATION), .preset = "30d", .min = 1000, .max = 31536000000,
	    .doc = "Who signed in so long ago has to sign in again." },
	{ SETTING_AS(struct config, password_memory, SETTING_SIZE), .preset = "64M", .min = 8192, .max = 1 << 30,
	    .doc = "The memory that hashing a password takes; with more, each is hashed anew at its next sign-in." },
	{ SETTING(struct config, password_passes), .preset = "2", .min = 1, .max = 100,
	    .doc = "How many times that memory is gone over; the same." },
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
