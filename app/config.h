/* config.h - the settings of ostler-app.conf(5), as one constant struct. */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/settings.h"

struct config {
	const char *instance_id, *instance_name;
	long long threads, silence;
	long long body_limit;
	const char *uploads;
	const char *object_store, *object_endpoint, *object_region, *object_access_key,
	    *object_secret_file;
	long long object_timeout;
	long long idempotency_keep;
	struct words cors_origins;
	bool cors_credentials;
	long long cors_max_age;
	const char *database;
	long long database_connections, database_timeout, database_retry;
	const char *cache;
	long long cache_connections, cache_timeout, cache_retry;
	long long cache_wait, cache_lease, cache_stale;
	long long jobs_batch, jobs_lease, jobs_beat, jobs_idle, jobs_upkeep, jobs_finish;
	long long jobs_history, jobs_database_timeout;
	const char *broker, *spool;
	long long spool_most;
	struct words broker_settings;
	const char *broker_secret_file;
	long long broker_partitions, broker_connections, broker_timeout, broker_retry, broker_keep;
	const char *consume_group;
	long long consume_batch, consume_linger, consume_lease, consume_deliveries;
	long long consume_database_timeout, event_days;
	long long limit_read, limit_write, limit_expensive, limit_probe, limit_window;
	const char *mail, *mail_from, *mail_user, *mail_secret_file;
	long long mail_timeout;
	const char *site;
	long long password_slots, password_wait;
	const char *password_lock;
	long long attempt_first, attempt_most, attempt_memory;
	long long invitation_life, reset_life, link_pause;
	long long audit_window, audit_keep;
	const char *keys, *token_issuer, *token_audience, *totp_issuer;
	long long token_lifetime, refresh_lifetime;
	long long session_idle, session_life;
	long long password_memory, password_passes;
	const char *migrate_database, *migrations;
	const char *otlp_url, *otlp_headers_file, *trace_buffer;
	long long trace_room, trace_sample, trace_stage;
	long long otlp_batch, otlp_period, otlp_timeout, otlp_retry, otlp_give_up;
	int log_level, log_format, request_log;
};

/* The table: what ostler-app.conf(5) lists, in the same order. */
extern const struct section config_table;

#endif
