/* conf.c - the table of all settings. */
#include "supervisor/conf.h"

#include <string.h>

#include "base/log.h"
#include "supervisor/conf_check.h"

#define MS   1LL
#define S    (1000 * MS)
#define HOUR (3600 * S)
#define DAY  (24 * HOUR)

const char *const pool_kind_names[] = { [KIND_FASTCGI] = "fastcgi",
	[KIND_WORKER] = "worker",
	[KIND_SERVICE] = "service",
	[KIND_TASK] = "task",
	NULL };

#define CHOICE   SETTING_CHOICE
#define DURATION SETTING_DURATION
#define POOL(m)  SETTING(struct pool_conf, m)

static const struct setting pool_settings[] = {
	{ SETTING_AS(struct pool_conf, kind, CHOICE), .required = true, .one_of = pool_kind_names,
	    .doc = "what the pool's processes are" },
	{ POOL(command), .required = true, .min = 1, .max = 1000,
	    .doc = "the program and its arguments; no shell is involved" },
	{ POOL(user), .min = 1, .max = 256, .doc = "run as this user" },
	{ POOL(group), .min = 1, .max = 256, .doc = "run with this group" },
	{ POOL(directory), .min = 1, .max = 4095, .doc = "working directory" },
	{ POOL(umask), .min = 1, .max = 8, .preset = "0022", .doc = "mask of new files" },
	{ POOL(environment), .doc = "variables to set, or to pass through" },
	{ POOL(after), .doc = "pools that must be ready before this one starts" },
	{ POOL(ready), .min = 1, .max = 8191, .doc = "how a worker is known to be ready" },
	{ SETTING_AS(struct pool_conf, ready_timeout, DURATION), .min = 10 * MS, .max = DAY,
	    .preset = "60s", .doc = "a worker that is not ready by then is stopped" },
	{ SETTING_AS(struct pool_conf, ready_interval, DURATION), .min = 10 * MS, .max = HOUR,
	    .preset = "100ms", .doc = "time between two looks whether it is ready" },
	{ POOL(workers), .min = 1, .max = 512, .preset = "1", .doc = "how many processes" },
	{ POOL(listen), .min = 1, .max = 512, .doc = "address of the pool's socket" },
	{ POOL(listen_user), .min = 1, .max = 256, .doc = "owner of a unix socket" },
	{ POOL(listen_group), .min = 1, .max = 256, .doc = "group of a unix socket" },
	{ POOL(listen_mode), .min = 1, .max = 8, .preset = "0660",
	    .doc = "permissions of a unix socket" },
	{ POOL(backlog), .min = 1, .max = 65535, .preset = "1024",
	    .doc = "connections that may wait to be accepted" },
	{ POOL(stop_signal), .min = 1, .max = 16, .preset = "TERM", .doc = "asks a worker to end" },
	{ SETTING_AS(struct pool_conf, stop_timeout, DURATION), .min = 10 * MS, .max = DAY,
	    .preset = "10s", .doc = "a worker that has not ended by then is killed" },
	{ POOL(reload_signal), .min = 1, .max = 16,
	    .doc = "asks a service to read its configuration again" },
	{ POOL(output), .min = 1, .max = 4095, .doc = "file that takes what workers print" },
	{ SETTING_AS(struct pool_conf, backoff_first, DURATION), .min = 10 * MS, .max = HOUR,
	    .preset = "1s", .doc = "wait after a first failure; doubles with each more" },
	{ SETTING_AS(struct pool_conf, backoff_longest, DURATION), .min = 10 * MS, .max = DAY,
	    .preset = "60s", .doc = "wait no longer than this" },
	{ SETTING_AS(struct pool_conf, good_service, DURATION), .min = 10 * MS, .max = DAY,
	    .preset = "10s", .doc = "being ready so long forgives earlier failures" },
	{ 0 },
};

static void check_pool(const void *filled, struct complaints *complaints)
{
	conf_check_pool(filled, complaints);
}

static void check_all(const void *filled, struct complaints *complaints)
{
	conf_check_all(filled, complaints);
}

static const struct section pool_section = {
	.size = sizeof(struct pool_conf), .settings = pool_settings, .check = check_pool
};

static const struct setting settings[] = {
	{ SETTING(struct conf, control), .min = 1, .max = 107, .preset = CONF_CONTROL,
	    .doc = "path of the control socket" },
	{ SETTING(struct conf, pid_file), .min = 1, .max = 4095,
	    .doc = "file that holds the process id of ostlerd" },
	{ SETTING_AS(struct conf, log_level, CHOICE), .one_of = log_level_names, .preset = "info",
	    .doc = "least serious message that is written" },
	{ SETTING_AS(struct conf, log_format, CHOICE), .one_of = log_format_names, .preset = "text",
	    .doc = "form of a message" },
	{ SETTING(struct conf, greeting), .max = 1000,
	    .doc = "text that is written when all pools are ready" },
	{ SETTING(struct conf, pools), .required = true, .of = &pool_section,
	    .doc = "the pools, each with its name" },
	{ 0 },
};

static const struct section section = {
	.size = sizeof(struct conf), .settings = settings, .check = check_all
};

const struct conf *conf_read(const char *file, FILE *errors)
{
	return settings_read(file, &section, errors);
}

void conf_free(const struct conf **conf)
{
	const void *filled = *conf;

	settings_free(&filled);
	*conf = NULL;
}

const struct pool_conf *conf_pool(const struct conf *conf, size_t index)
{
	return (const struct pool_conf *)conf->pools.item + index;
}

long conf_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->pools.count; i++)
		if (strcmp(conf_pool(conf, i)->named.name, name) == 0)
			return (long)i;
	return -1;
}

static void print_section(FILE *out, const char *title, const struct setting *table)
{
	static const char *const kinds[] = { [SETTING_TEXT] = "text",
		[SETTING_INTEGER] = "number",
		[SETTING_BOOLEAN] = "boolean",
		[SETTING_DURATION] = "duration",
		[SETTING_SIZE] = "size",
		[SETTING_CHOICE] = "choice",
		[SETTING_WORDS] = "words",
		[SETTING_GROUPS] = "groups" };

	for (; table->name != NULL; table++)
		fprintf(out, "%s\t%s\t%s\t%s\n", title, table->name, kinds[table->kind],
		    table->required         ? "required"
		    : table->preset != NULL ? table->preset
					    : "none");
}

void conf_print_settings(FILE *out)
{
	print_section(out, "top", settings);
	print_section(out, "pool", pool_settings);
}
