/*
 * plan.c - what a pool's settings mean: numbers and addresses instead of names.
 *
 * Each of the functions here works out its part as well as it can and complains
 * of what is wrong, without stopping: a person sees all mistakes in one run.
 */
#include "supervisor/conf/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/system/environment.h"
#include "supervisor/system/program.h"

struct making {
	struct arena *arena;
	const struct pool_conf *conf;
	const struct plan_critic *critic;
	struct plan *plan;
	bool wrong;
};

static void complain(struct making *m, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

static void complain(struct making *m, const char *name, const char *format, ...)
{
	char message[4600];
	va_list values;

	va_start(values, format);
	vsnprintf(message, sizeof(message), format, values);
	va_end(values);
	m->critic->hear(m->critic->owner, name, message);
	m->wrong = true;
}

static void make_identity(struct making *m)
{
	const struct pool_conf *conf = m->conf;
	struct identity_wish wish = { conf->user, conf->group, conf->groups.word };
	const char *blamed;
	const char *wrong = identity_find(m->arena, &wish, &m->plan->who, &blamed);

	if (wrong != NULL)
		complain(m, blamed, "%s", wrong);
}

static void make_environment(struct making *m)
{
	const struct words *entries = &m->conf->environment;
	bool sandboxed = m->conf->sandbox != SANDBOX_NONE;
	const char *more[2];

	for (size_t i = 0; i < entries->count; i++) {
		const char *wrong = environment_check(entries->word[i]);

		if (wrong != NULL)
			complain(m, "environment", "\"%s\" %s", entries->word[i], wrong);
	}
	more[0] = arena_print(m->arena, "OSTLER_POOL=%s", m->conf->named.name);
	more[1] = arena_print(m->arena, "OSTLER_SANDBOX=%s", sandbox_names[m->conf->sandbox]);
	m->plan->environment = environment_extend(
	    m->arena, environment_make(m->arena, &m->plan->who, entries), more, sandboxed ? 2 : 1);
}

/* In the pool's PATH, not in the master's: a pool may set its own. */
static const char *find_program(struct making *m, const char *setting, const char *name)
{
	const char *search = environment_value(m->plan->environment, "PATH");
	const char *wrong;
	const char *path = program_find(m->arena, name, search, &wrong);

	if (path == NULL)
		complain(m, setting, "%s", wrong);
	return path;
}

static void make_readiness(struct making *m)
{
	struct readiness *ready = &m->plan->ready;
	const char *text = m->conf->ready;
	const char *wrong = NULL;

	if (text == NULL)
		ready->kind = m->conf->kind == KIND_FASTCGI ? READY_ACCEPT : READY_ONCE_STARTED;
	else
		wrong = readiness_parse(m->arena, text, ready);
	if (wrong != NULL)
		complain(m, "ready", "ready %s", wrong);
	else if (ready->kind == READY_EXEC)
		m->plan->probe = find_program(m, "ready", ready->command.word[0]);
}

static void make_trial(struct making *m)
{
	const char *name;
	const char *wrong = trial_make(m->arena, m->conf, &m->plan->trial, &name);

	if (wrong != NULL)
		complain(m, name, "%s", wrong);
}

/* Without the number of the process it could look at none. */
static void make_tracer(struct making *m)
{
	const struct words *command = &m->conf->trace_command;
	bool named = false;

	if (command->count == 0)
		return;
	for (size_t i = 1; i < command->count; i++)
		named = named || strstr(command->word[i], "%p") != NULL;
	if (!named)
		complain(m, "trace_command",
		    "trace_command must have %%p in one of its arguments, the process to look at");
	m->plan->tracer = find_program(m, "trace_command", command->word[0]);
}

static int find_signal(struct making *m, const char *setting, const char *name)
{
	int number = name != NULL ? program_signal(name) : 0;

	if (number == 0 && name != NULL)
		complain(m, setting, "%s: there is no signal \"%s\"; write it as \"TERM\"", setting,
		    name);
	return number;
}

/* Reads octal digits, as in "0660". */
static mode_t find_mode(struct making *m, const char *setting, const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*end != '\0' || strspn(text, "01234567") != strlen(text) || mode > 0777)
		complain(
		    m, setting, "%s must be permissions as \"0660\", not \"%s\"", setting, text);
	return (mode_t)mode;
}

static void make_listener(struct making *m)
{
	const struct pool_conf *conf = m->conf;
	struct listener_rights *rights = &m->plan->rights;
	const char *wrong = NULL;

	rights->uid = m->plan->who.uid;
	rights->gid = m->plan->who.gid;
	rights->mode = find_mode(m, "listen_mode", conf->listen_mode);
	if (conf->listen_user != NULL && !identity_find_user(conf->listen_user, &rights->uid))
		complain(m, "listen_user", "there is no user \"%s\"", conf->listen_user);
	if (conf->listen_group != NULL && !identity_find_group(conf->listen_group, &rights->gid))
		complain(m, "listen_group", "there is no group \"%s\"", conf->listen_group);
	if (conf->listen != NULL)
		wrong = address_parse(conf->listen, &m->plan->address);
	if (wrong != NULL)
		complain(m, "listen", "listen %s", wrong);
}

static void check_folder(struct making *m)
{
	const char *folder = m->conf->directory;
	struct stat about;

	if (folder == NULL)
		return;
	if (folder[0] != '/')
		complain(m, "directory", "directory must be an absolute path, not \"%s\"", folder);
	else if (stat(folder, &about) < 0)
		complain(m, "directory", "%s: %s", folder, strerror(errno));
	else if (!S_ISDIR(about.st_mode))
		complain(m, "directory", "%s is not a folder", folder);
}

bool plan_make(struct arena *arena, const struct pool_conf *conf, const struct plan_critic *critic,
    struct plan *plan)
{
	struct making making = { .arena = arena, .conf = conf, .critic = critic, .plan = plan };

	*plan = (struct plan){ .conf = conf };
	make_identity(&making);
	making.wrong |= !confine_make(arena, conf, critic, &plan->confinement);
	make_environment(&making);
	make_readiness(&making);
	make_trial(&making);
	make_tracer(&making);
	make_listener(&making);
	check_folder(&making);
	plan->program = find_program(&making, "command", conf->command.word[0]);
	plan->umask = find_mode(&making, "umask", conf->umask);
	plan->stop_signal = find_signal(&making, "stop_signal", conf->stop_signal);
	plan->reload_signal = find_signal(&making, "reload_signal", conf->reload_signal);
	return !making.wrong;
}
