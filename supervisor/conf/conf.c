/* conf.c - the table of all settings. */
#include "supervisor/conf/conf.h"

#include <string.h>

#include "base/log.h"
#include "supervisor/conf/conf_check.h"
#include "supervisor/conf/conf_table.h"
#include "supervisor/output/print.h"

#define MS   1LL
#define S    (1000 * MS)
#define HOUR (3600 * S)
#define DAY  (24 * HOUR)

const char *const pool_kind_names[] = { [KIND_FASTCGI] = "fastcgi",
	[KIND_WORKER] = "worker",
	[KIND_SERVICE] = "service",
	[KIND_TASK] = "task",
	NULL };

const char *const sandbox_names[] = { [SANDBOX_NONE] = "none", [SANDBOX_WEB] = "web", NULL };

static const char *const cgroups_use_names[] = {
	[CGROUPS_AUTO] = "auto", [CGROUPS_ON] = "on", [CGROUPS_OFF] = "off", NULL
};

static const char *const landlock_need_names[] = {
	[LANDLOCK_NEEDED] = "needed", [LANDLOCK_BEST_EFFORT] = "best_effort", NULL
};

#define CHOICE   SETTING_CHOICE
#define DURATION SETTING_DURATION
#define SIZE     SETTING_SIZE
#define POOL(m)  SETTING(struct pool_conf, m)

#define SCALE(m) SETTING(struct scale_conf, m)

static const struct setting scale_settings[] = {
	{ SCALE(min), .reloads = true, .min = 0, .max = 512, .preset = "1",
	    .doc = "never fewer; 0: none until a client comes" },
	{ SCALE(max), .required = true, .reloads = true, .min = 1, .max = 512,
	    .doc = "never more" },
	{ SCALE(spare), .reloads = true, .min = 0, .max = 512, .preset = "1",
	    .doc = "so many more than have something to do" },
	{ SETTING_AS(struct scale_conf, interval, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "200ms", .doc = "time between two looks at the demand" },
	{ SETTING_AS(struct scale_conf, quiet, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "30s", .doc = "when fewer were enough for so long, one leaves" },
	{ SETTING_AS(struct scale_conf, down_interval, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "2s", .doc = "and not sooner than this the next one" },
	{ SETTING_AS(struct scale_conf, idle, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "60s",
	    .doc = "with min 0: the last one leaves when it had nothing to do for so long" },
	{ SETTING_AS(struct scale_conf, memory, SIZE), .reloads = true, .min = 1 << 20,
	    .max = 1LL << 44, .doc = "no more workers than fit in so much memory (PSS)" },
	{ SETTING_AS(struct scale_conf, free_memory, SIZE), .reloads = true, .min = 1 << 20,
	    .max = 1LL << 44, .doc = "no more workers when the machine would have less left" },
	{ 0 },
};

static void check_scale(const void *filled, struct complaints *complaints)
{
	conf_check_scale(filled, complaints);
}

static const struct section scale_section = {
	.size = sizeof(struct scale_conf), .settings = scale_settings, .check = check_scale
};

static const struct setting pool_settings[] = {
	{ SETTING_AS(struct pool_conf, kind, CHOICE), .required = true, .one_of = pool_kind_names,
	    .doc = "what the pool's processes are" },
	{ POOL(command), .required = true, .min = 1, .max = 1000,
	    .doc = "the program and its arguments; no shell is involved" },
	{ POOL(user), .min = 1, .max = 256, .doc = "run as this user" },
	{ POOL(group), .min = 1, .max = 256, .doc = "run with this group" },
	{ POOL(groups), .max = 1000, .doc = "supplementary groups, instead of the user's" },
	{ POOL(directory), .min = 1, .max = 4095, .doc = "working directory" },
	{ POOL(umask), .min = 1, .max = 8, .preset = "0022", .doc = "mask of new files" },
	{ POOL(environment), .doc = "variables to set, or to pass through" },
	{ POOL(limits), .max = 100, .doc = "what a process may use, as \"nofile=4096\"" },
	{ POOL(nice), .min = -20, .max = 19, .preset = "0", .doc = "added to our own niceness" },
	{ POOL(cpus), .min = 1, .max = 4095, .doc = "processors to run on, as \"0-3,8\"" },
	{ POOL(no_new_privs), .preset = "true",
	    .doc = "no program can give a process more rights than it has" },
	{ POOL(capabilities), .max = 64, .doc = "the privileges of root that remain" },
	{ POOL(readable), .max = 1000, .doc = "files and folders to read and execute; no others" },
	{ POOL(writable), .max = 1000, .doc = "files and folders to read and change; no others" },
	{ SETTING_AS(struct pool_conf, landlock, CHOICE), .one_of = landlock_need_names,
	    .preset = "needed", .doc = "what a kernel must know for readable and writable" },
	{ SETTING_AS(struct pool_conf, sandbox, CHOICE), .one_of = sandbox_names, .preset = "none",
	    .doc = "system calls that the program keeps once it runs" },
	{ POOL(after), .reloads = true, .doc = "pools that must be ready before this one starts" },
	{ POOL(ready), .min = 1, .max = 8191, .doc = "how a worker is known to be ready" },
	{ SETTING_AS(struct pool_conf, ready_timeout, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "60s", .doc = "a worker that is not ready by then is stopped" },
	{ SETTING_AS(struct pool_conf, ready_interval, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "100ms", .doc = "time between two looks whether it is ready" },
	{ POOL(canary), .reloads = true, .min = 1, .max = 2000,
	    .doc = "path of a request that a new generation must answer before it serves" },
	{ POOL(canary_params), .reloads = true, .max = 100,
	    .doc = "variables of that request, beside the usual ones" },
	{ POOL(canary_status), .reloads = true, .min = 1, .max = 16, .preset = "200-499",
	    .doc = "the status that its answer must have" },
	{ SETTING_AS(struct pool_conf, canary_timeout, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "10s",
	    .doc = "a worker that has not answered it by then fails" },
	{ POOL(workers), .reloads = true, .min = 1, .max = 512, .preset = "1",
	    .doc = "how many processes" },
	{ .name = "workers",
	    .kind = SETTING_GROUP,
	    .offset = offsetof(struct pool_conf, scale),
	    .of = &scale_section,
	    .reloads = true,
	    .doc = "the same, as many as are needed" },
	{ POOL(listen), .min = 1, .max = 512, .doc = "address of the pool's socket" },
	{ POOL(listen_user), .min = 1, .max = 256, .doc = "owner of a unix socket" },
	{ POOL(listen_group), .min = 1, .max = 256, .doc = "group of a unix socket" },
	{ POOL(listen_mode), .min = 1, .max = 8, .preset = "0660",
	    .doc = "permissions of a unix socket" },
	{ POOL(backlog), .min = 1, .max = 65535, .preset = "1024",
	    .doc = "connections that may wait to be accepted" },
	{ POOL(stop_signal), .min = 1, .max = 16, .preset = "TERM", .doc = "asks a worker to end" },
	{ SETTING_AS(struct pool_conf, stop_timeout, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "10s", .doc = "a worker that has not ended by then is killed" },
	{ SETTING_AS(struct pool_conf, request_timeout, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .doc = "a worker whose request takes longer is replaced" },
	{ SETTING_AS(struct pool_conf, watch_interval, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "1s", .doc = "time between two looks at what workers do" },
	{ SETTING_AS(struct pool_conf, slow_request, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .doc = "a request that takes longer is looked at, and goes on" },
	{ SETTING_AS(struct pool_conf, slow_interval, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "1m", .doc = "time between two looks at slow requests" },
	{ SETTING_AS(struct pool_conf, trace_timeout, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "2s", .doc = "what a look at a process may take" },
	{ POOL(trace_command), .reloads = true, .min = 1, .max = 1000,
	    .doc = "a program that looks, too, at the process %p" },
	{ SETTING_AS(struct pool_conf, drain_timeout, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "30s",
	    .doc = "a worker with requests in hand gets so long to finish them" },
	{ SETTING_AS(struct pool_conf, max_age, DURATION), .reloads = true, .min = 10 * MS,
	    .max = 365 * DAY, .doc = "a worker that has run so long is replaced" },
	{ POOL(max_requests), .reloads = true, .min = 1, .max = 1000000000,
	    .doc = "a worker that has served so many requests is replaced" },
	{ POOL(max_requests_jitter), .reloads = true, .min = 0, .max = 1000000000, .preset = "0",
	    .doc = "up to so many more, by chance" },
	{ SETTING_AS(struct pool_conf, max_memory, SIZE), .reloads = true, .min = 1 << 20,
	    .max = 1LL << 40, .doc = "a worker that takes more memory is replaced" },
	{ SETTING_AS(struct pool_conf, memory_interval, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "10s",
	    .doc = "time between two looks at the memory of workers" },
	{ POOL(reload_signal), .reloads = true, .min = 1, .max = 16,
	    .doc = "asks a service to read its configuration again" },
	{ POOL(output), .min = 1, .max = 4095, .doc = "file that takes what workers print" },
	{ POOL(output_direct), .preset = "false",
	    .doc = "standard output goes straight into it; standard error is taken as ever" },
	{ SETTING_AS(struct pool_conf, output_format, CHOICE), .one_of = print_form_names,
	    .preset = "auto", .doc = "form of a line in it" },
	{ SETTING_AS(struct pool_conf, backoff_first, DURATION), .reloads = true, .min = 10 * MS,
	    .max = HOUR, .preset = "1s",
	    .doc = "wait after a first failure; doubles with each more" },
	{ SETTING_AS(struct pool_conf, backoff_longest, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "60s", .doc = "wait no longer than this" },
	{ SETTING_AS(struct pool_conf, good_service, DURATION), .reloads = true, .min = 10 * MS,
	    .max = DAY, .preset = "10s", .doc = "being ready so long forgives earlier failures" },
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
	{ SETTING(struct conf, log_file), .min = 1, .max = 4095,
	    .doc = "file that takes the messages of ostlerd" },
	{ SETTING_AS(struct conf, log_level, CHOICE), .reloads = true, .one_of = log_level_names,
	    .preset = "info", .doc = "least serious message that is written" },
	{ SETTING_AS(struct conf, log_format, CHOICE), .reloads = true, .one_of = log_format_names,
	    .preset = "text", .doc = "form of a message" },
	{ SETTING_AS(struct conf, cgroups, CHOICE), .one_of = cgroups_use_names, .preset = "auto",
	    .doc = "whether each worker gets a cgroup of its own" },
	{ SETTING(struct conf, greeting), .max = 1000,
	    .doc = "text that is written when all pools are ready" },
	{ SETTING_AS(struct conf, window, DURATION), .min = 10 * MS, .max = HOUR, .preset = "5s",
	    .doc = "how far back rates and percentiles look" },
	{ SETTING_AS(struct conf, extend_interval, DURATION), .min = 10 * MS, .max = HOUR,
	    .preset = "10s", .doc = "how often the service manager is asked for more time" },
	{ SETTING_AS(struct conf, upgrade_timeout, DURATION), .min = 10 * MS, .max = HOUR,
	    .preset = "10s",
	    .doc = "an ostlerd to upgrade to that has not answered by then is refused" },
	{ SETTING(struct conf, pools), .required = true, .reloads = true, .of = &pool_section,
	    .doc = "the pools, each with its name" },
	{ 0 },
};

const struct section conf_table = {
	.size = sizeof(struct conf), .settings = settings, .check = check_all
};

const struct conf *conf_read(const char *file, FILE *errors)
{
	return settings_read(file, &conf_table, errors);
}

struct settings_reading *conf_begin(const char *file, FILE *errors)
{
	return settings_begin(file, &conf_table, errors);
}

const struct conf *conf_finish(struct settings_reading **reading, FILE *errors)
{
	return settings_finish(reading, errors);
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

static bool same_words(const struct words *a, const struct words *b)
{
	if (a->count != b->count || (a->word == NULL) != (b->word == NULL)) /* [ ] is not nothing */
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->word[i], b->word[i]) != 0)
			return false;
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_value(const struct setting *, const void *a, const void *b);

/* In all settings of the TABLE, or in those that need a new process alone. */
static bool same_section(const struct setting *table, const void *a, const void *b, bool also_light)
{
	for (const struct setting *setting = table; setting->name != NULL; setting++)
		if ((also_light || !setting->reloads) &&
		    !same_value(setting, (const char *)a + setting->offset,
			(const char *)b + setting->offset))
			return false;
	return true;
}

static bool same_value(const struct setting *setting, const void *a, const void *b)
{
	switch (setting->kind) {
	case SETTING_TEXT:
		return same_text(*(const char *const *)a, *(const char *const *)b);
	case SETTING_WORDS:
		return same_words(a, b);
	case SETTING_BOOLEAN:
		return *(const bool *)a == *(const bool *)b;
	case SETTING_CHOICE:
		return *(const int *)a == *(const int *)b;
	case SETTING_INTEGER:
	case SETTING_DURATION:
	case SETTING_SIZE:
		return *(const long long *)a == *(const long long *)b;
	case SETTING_GROUP:
		return same_section(setting->of->settings, a, b, true);
	case SETTING_GROUPS:
		break;
	}
	bug("a pool has groups in it");
}

const char *conf_needs_restart(const struct conf *a, const struct conf *b)
{
	for (const struct setting *setting = settings; setting->name != NULL; setting++)
		if (!setting->reloads && !same_value(setting, (const char *)a + setting->offset,
					     (const char *)b + setting->offset))
			return setting->name;
	return NULL;
}

bool conf_pool_needs_processes(const struct pool_conf *a, const struct pool_conf *b)
{
	return !same_section(pool_settings, a, b, false);
}

bool conf_workers_differ(const struct pool_conf *a, const struct pool_conf *b)
{
	return a->workers != b->workers || a->scale.min != b->scale.min ||
	       a->scale.max != b->scale.max;
}

bool conf_pool_differs(const struct pool_conf *a, const struct pool_conf *b)
{
	return !same_section(pool_settings, a, b, true);
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

	for (; table->name != NULL; table++) {
		if (table->kind == SETTING_GROUP) /* a section of its own */
			continue;
		fprintf(out, "%s\t%s\t%s\t%s\t%lld\t%lld\t%s\n", title, table->name,
		    kinds[table->kind],
		    table->required         ? "required"
		    : table->preset != NULL ? table->preset
					    : "none",
		    table->min, table->max, table->reloads ? "light" : "heavy");
	}
}

void conf_print_settings(FILE *out)
{
	print_section(out, "top", settings);
	print_section(out, "pool", pool_settings);
	print_section(out, "workers", scale_settings);
}
