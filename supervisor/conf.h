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

struct pool_conf {
	struct named named; /* first: settings.h fills it */
	int kind;           /* enum pool_kind */
	struct words command;
	const char *user, *group;
	const char *directory;
	const char *umask;
	struct words environment;
	struct words after;
	const char *ready;
	long long ready_timeout, ready_interval;
	long long workers;
	const char *listen, *listen_user, *listen_group, *listen_mode;
	long long backlog;
	const char *stop_signal, *reload_signal;
	long long stop_timeout;
	const char *output;
	long long backoff_first, backoff_longest, good_service;
};

struct conf {
	const char *control, *pid_file;
	int log_level, log_format;
	const char *greeting;
	struct groups pools; /* of struct pool_conf */
};

/*
 * Reads and checks FILE.  Returns NULL after writing every complaint to ERRORS,
 * each as "file:line: message".
 */
const struct conf *conf_read(const char *file, FILE *errors) MUST_CHECK;
void conf_free(const struct conf **);

const struct pool_conf *conf_pool(const struct conf *, size_t index);

/* The index of the pool of that NAME, or -1. */
long conf_find(const struct conf *, const char *name);

/* One line per setting: section, name, kind and default, with tabs between them. */
void conf_print_settings(FILE *);

#endif
