/* footing.c - what a role stands on: the database, Redis, the cache, and what all handlers share.
 */
#include "footing.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "core/identity/keyring.h"
#include "core/input/json_body.h"
#include "core/input/patterns.h"
#include "core/jobs/kinds.h"
#include "store/object.h"

/* "" in the configuration means the host's name. */
static const char *instance_id(const struct config *config, struct arena *arena)
{
	char host[HOST_NAME_MAX + 1] = "unnamed";

	if (config->instance_id[0] != '\0')
		return config->instance_id;
	gethostname(host, sizeof(host) - 1);
	return arena_copy(arena, host, strlen(host));
}

void footing_plan(struct footing *f, const struct ostler_program *program,
    const struct config *config, const char *role)
{
	struct arena *arena = arena_new(64 << 10);

	*f = (struct footing){ .arena = arena,
		.config = config,
		.database = { .conninfo = config->database,
		    .application = arena_print(arena, "%s %s", program->name, role),
		    .connections = config->database_connections,
		    .timeout_ms = config->database_timeout,
		    .retry_ms = config->database_retry },
		.redis = { .address = config->cache,
		    .connections = config->cache_connections,
		    .timeout_ms = config->cache_timeout,
		    .retry_ms = config->cache_retry },
		.leases = { .wait_ms = config->cache_wait,
		    .lease_ms = config->cache_lease,
		    .stale_ms = config->cache_stale },
		.broker = { .where = config->broker,
		    .partitions = config->broker_partitions,
		    .connections = config->broker_connections,
		    .timeout_ms = config->broker_timeout,
		    .retry_ms = config->broker_retry,
		    .more = config->broker_settings.word },
		.app = { .features = program->features,
		    .instance_id = instance_id(config, arena),
		    .instance_name = config->instance_name,
		    .request_log = config->request_log + STDOUT_FILENO,
		    .tokens = { .issuer = config->token_issuer,
			.audience = config->token_audience,
			.lifetime = config->token_lifetime / 1000,
			.refresh_lifetime = config->refresh_lifetime / 1000 },
		    .totp_issuer = config->totp_issuer,
		    .passwords = { .memory = config->password_memory,
			.passes = config->password_passes },
		    .sessions = { .idle = (double)config->session_idle / 1000,
			.life = (double)config->session_life / 1000 },
		    .attempts = { .first = (double)config->attempt_first / 1000,
			.most = (double)config->attempt_most / 1000,
			.remembered = (double)config->attempt_memory / 1000 },
		    .links = { .site = config->site,
			.invitation = (double)config->invitation_life / 1000,
			.reset = (double)config->reset_life / 1000,
			.pause = (double)config->link_pause / 1000 },
		    .cache_hold_ms = 2 * config->database_timeout,
		    .body_limit = (size_t)config->body_limit,
		    .cors = { .origins = config->cors_origins.word,
			.count = config->cors_origins.count,
			.credentials = config->cors_credentials,
			.max_age_s = config->cors_max_age / 1000 },
		    .retry_after_s = (config->database_retry + 999) / 1000,
		    .uploads = config->uploads,
		    .event_days = config->event_days,
		    .idempotency_seconds = (double)config->idempotency_keep / 1000 } };
}

/* The first line of the file, without its break; a secret is never in the configuration itself. */
static const char *read_secret(struct arena *arena, const char *setting, const char *path)
{
	char line[256] = "";
	FILE *file = fopen(path, "re");

	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		die("%s: %s: %s", setting, path, file == NULL ? strerror(errno) : "it is empty");
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return arena_copy(arena, line, strlen(line));
}

static struct object_store *open_objects(const struct config *config, struct arena *arena)
{
	const char *wrong = NULL;
	struct object_options options = { .where = config->object_store,
		.endpoint = config->object_endpoint,
		.region = config->object_region,
		.access_key = config->object_access_key,
		.timeout_ms = config->object_timeout };
	struct object_store *store;

	if (options.where[0] == '\0')
		return NULL;
	if (config->object_secret_file != NULL)
		options.secret_key = read_secret(
		    arena, "object_secret_file", config->object_secret_file);
	store = object_open(&options, arena, &wrong);
	if (store == NULL)
		die("object_store: %s", wrong);
	return store;
}

void footing_open(struct footing *f)
{
	kinds_check(f->app.features);
	json_body_init();
	f->patterns = patterns_compile(shapes_of_program(f->arena, f->app.features));
	f->app.patterns = f->patterns;
	f->app.db = db_open(&f->database);
	f->app.redis = redis_open(&f->redis);
	f->app.cache = cache_open(f->app.redis, &f->leases);
	f->app.objects = open_objects(f->config, f->arena);
}

void footing_open_outlets(struct footing *f)
{
	if (f->config->broker_secret_file != NULL)
		f->broker.secret = read_secret(
		    f->arena, "broker_secret_file", f->config->broker_secret_file);
	f->app.outlets = outlets_open(f->app.features, &f->broker, f->arena);
}

void footing_open_spool(struct footing *f)
{
	const struct spool_options options = { .folder = f->config->spool,
		.bytes_most = f->config->spool_most,
		.retry_ms = f->config->broker_retry };

	if (options.folder[0] != '\0')
		outlets_keep(f->app.outlets, &options, f->arena);
}

void footing_open_mail(struct footing *f)
{
	const struct config *config = f->config;
	const char *wrong = NULL;

	if (config->mail[0] == '\0')
		return;
	f->mail = (struct mail_options){ .where = config->mail,
		.from = config->mail_from,
		.user = config->mail_user,
		.timeout_ms = config->mail_timeout };
	if (config->mail_secret_file != NULL)
		f->mail.secret = read_secret(
		    f->arena, "mail_secret_file", config->mail_secret_file);
	f->app.mailer = mailer_open(&f->mail, f->arena, &wrong);
	if (f->app.mailer == NULL)
		die("mail: %s", wrong);
}

struct ring *footing_open_ring(const struct config *config)
{
	struct ring *ring = ring_open(config->trace_buffer, (size_t)config->trace_room);

	if (ring == NULL)
		die("trace_buffer: %s: %s", config->trace_buffer, strerror(errno));
	return ring;
}

void footing_open_tracer(struct footing *f)
{
	long long one_in = f->config->trace_sample;

	if (f->config->otlp_url[0] == '\0')
		return;
	f->tracer = (struct tracer){ .ring = footing_open_ring(f->config),
		.sampled_below = one_in > 0 ? (UINT64_C(1) << 56) / (uint64_t)one_in : 0,
		.stage_us = f->config->trace_stage * 1000 };
	f->app.tracer = &f->tracer;
}

void footing_close(struct footing *f)
{
	mailer_close(&f->app.mailer);
	keyring_close(&f->app.keys);
	outlets_close(&f->app.outlets);
	object_close(&f->app.objects);
	cache_close(&f->app.cache);
	redis_close(&f->app.redis);
	db_close(&f->app.db);
	ring_close(&f->tracer.ring);
	patterns_free(&f->patterns);
	arena_free(&f->arena);
}

void footing_say_ready(void)
{
	notify_supervisor("READY=1");
}

void footing_say_stopping(void)
{
	notify_supervisor("STOPPING=1");
}
