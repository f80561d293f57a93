/*
 * conf.h - what ostler.conf can say, and what it said.
 *
 * The structs are filled by the tables in conf.c (base/settings.h) and are
 * constant from then on.  Durations are in milliseconds.  Texts that were not
 * given are NULL.
 */
#ifndef SUPERVISOR_CONF_H
#define SUPERVISOR_CONF_H

#include <stdio.h>

#include "base/settings.h"

/* Where things are when neither the configuration nor the command line says. */
#define CONF_FILE    "/etc/ostler/ostler.conf"
#define CONF_CONTROL "/run/ostler/ostlerd.sock"

enum pool_kind { KIND_FASTCGI, KIND_WORKER, KIND_SERVICE, KIND_TASK };
extern const char *const pool_kind_names[]; /* in enum order, ends with NULL */

/* System calls that the program itself gives up, when it has started. */
enum sandbox { SANDBOX_NONE, SANDBOX_WEB };
extern const char *const sandbox_names[]; /* in enum order, ends with NULL */

enum landlock_need { LANDLOCK_NEEDED, LANDLOCK_BEST_EFFORT };

enum cgroups_use { CGROUPS_AUTO, CGROUPS_ON, CGROUPS_OFF };

/* workers = { … }: as many as are needed, within limits.  What pool/scale.h makes of it. */
struct scale_conf {
	long long min, max; /* max 0: the pool has a fixed number */
	long long spare;
	long long interval;      /* between two looks at the demand */
	long long quiet;         /* for so long fewer must have been enough */
	long long down_interval; /* between two that leave */
	long long idle;          /* with min 0: for so long there was nothing to do at all */
	long long memory;        /* bytes (PSS) of all workers, and */
	long long free_memory;   /* bytes that the machine must have left; 0: no limit */
};

struct pool_conf {
	struct named named; /* first: settings.h fills it */
	int kind;           /* enum pool_kind */
	struct words command;
	const char *user, *group;
	struct words groups; /* word NULL: those of the user */
	const char *directory;
	const char *umask;
	struct words environment;
	struct words limits;
	long long nice;
	const char *cpus;
	bool no_new_privs;
	struct words capabilities;       /* word NULL: not limited */
	struct words readable, writable; /* both words NULL: not limited */
	int landlock;                    /* enum landlock_need */
	int sandbox;                     /* enum sandbox */
	struct words after;
	const char *ready;
	long long ready_timeout, ready_interval;
	long long workers; /* 0: as SCALE says */
	struct scale_conf scale;
	const char *listen, *listen_user, *listen_group, *listen_mode;
	long long backlog;
	const char *stop_signal, *reload_signal;
	long long stop_timeout, drain_timeout;
	long long max_age, max_requests, max_requests_jitter, max_memory, memory_interval;
	const char *canary; /* path of the request; NULL: none is made */
	struct words canary_params;
	const char *canary_status;
	long long canary_timeout;
	long long request_timeout; /* 0: no limit */
	long long watch_interval;
	long long slow_request; /* 0: none is slow */
	long long slow_interval, trace_timeout;
	struct words trace_command; /* word NULL: there is none */
	const char *output;
	bool output_direct;
	int output_format; /* enum print_form */
	long long backoff_first, backoff_longest, good_service;
};

struct conf {
	const char *control, *pid_file, *log_file;
	int cgroups; /* enum cgroups_use */
	int log_level, log_format;
	const char *greeting;
	long long window;
	long long extend_interval;
	long long upgrade_timeout;
	struct groups pools; /* of struct pool_conf */
};

/*
 * Reads and checks FILE.  Returns NULL after writing every complaint to ERRORS,
 * each as "file:line: message".
 */
const struct conf *conf_read(const char *file, FILE *errors) MUST_CHECK;
void conf_free(const struct conf **);

/* The same in two steps, for who cannot wait: base/settings.h, settings_begin and settings_finish.
 */
struct settings_reading *conf_begin(const char *file, FILE *errors) MUST_CHECK;
const struct conf *conf_finish(struct settings_reading **, FILE *errors) MUST_CHECK;

/*
 * Hands a configuration over, or takes one from a master before us, which is then the
 * caller's to free: upgrade/state.h.  Settings go by their names, so a next ostlerd
 * may have more: they have their defaults.  The checks of a file are not made again.
 */
struct state;
void conf_hand_over(struct state *, const struct conf *);
const struct conf *conf_take_over(struct state *) MUST_CHECK;

const struct pool_conf *conf_pool(const struct conf *, size_t index);

/* The index of the pool of that NAME, or -1. */
long conf_find(const struct conf *, const char *name);

/* A setting of ostlerd itself that differs and that a reload does not apply; NULL: none does. */
const char *conf_needs_restart(const struct conf *, const struct conf *);

/*
 * Whether two pools differ in what makes a process what it is.  Differences in
 * the other settings can be applied to processes that run already.
 */
bool conf_pool_needs_processes(const struct pool_conf *, const struct pool_conf *);

/* Whether they are to run other numbers of workers. */
bool conf_workers_differ(const struct pool_conf *, const struct pool_conf *);

/* Whether they differ in anything at all but their names. */
bool conf_pool_differs(const struct pool_conf *, const struct pool_conf *);

/*
 * One line per setting: section, name, kind, default, least and most (0 and 0:
 * any; of bytes, words or milliseconds where it counts those), and "light" when a
 * reload applies a change without a new process; with tabs between them.
 */
void conf_print_settings(FILE *);

#endif
