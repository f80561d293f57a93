/*
 * conf_check.c - what no single setting can tell.
 *
 * Runs in the child that parses the file, so it may ask the name service, look
 * at files and fork without any care for the master.
 */
#include "supervisor/conf/conf_check.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/text.h"
#include "supervisor/conf/conf.h"
#include "supervisor/conf/plan.h"
#include "supervisor/system/entrance.h"
#include "supervisor/system/rehearsal.h"

struct hearing {
	const struct pool_conf *pool;
	struct complaints *complaints;
};

#define COMPLAIN(pool, setting, complaints, format, ...) \
	settings_complain(                               \
	    complaints, pool, setting, "pool %s: " format, (pool)->named.name, __VA_ARGS__)

static void hear(void *owner, const char *name, const char *message)
{
	const struct hearing *hearing = owner;

	COMPLAIN(hearing->pool, name, hearing->complaints, "%s", message);
}

/* What is given to a kind of pool that has no use for it, or is missing. */
static void check_kind(const struct pool_conf *pool, struct complaints *complaints)
{
	const char *kind = pool_kind_names[pool->kind];
	bool single = pool->kind == KIND_SERVICE || pool->kind == KIND_TASK;

	if (pool->kind == KIND_FASTCGI && pool->listen == NULL)
		COMPLAIN(pool, "kind", complaints,
		    "listen is missing: a %s pool needs the address of its socket", kind);
	if (pool->kind != KIND_FASTCGI && pool->listen != NULL)
		COMPLAIN(pool, "listen", complaints,
		    "listen is for a fastcgi pool; a %s has no socket", kind);
	if (pool->kind != KIND_FASTCGI && pool->ready != NULL && strcmp(pool->ready, "accept") == 0)
		COMPLAIN(pool, "ready", complaints,
		    "ready cannot be \"accept\": a %s has no socket to accept from", kind);
	if (single && pool->workers != 1)
		COMPLAIN(
		    pool, "workers", complaints, "a %s is one process; workers must be 1", kind);
	if (pool->kind == KIND_WORKER && pool->workers == 0 && pool->scale.min == 0)
		COMPLAIN(pool, "workers", complaints,
		    "min must be at least 1: a %s has no socket where a first client would show",
		    kind);
	if (pool->kind == KIND_TASK && pool->ready != NULL)
		COMPLAIN(pool, "ready", complaints,
		    "a %s has no use for ready: it is done when it ends with 0", kind);
	if (pool->backoff_longest < pool->backoff_first)
		COMPLAIN(pool, "backoff_longest", complaints,
		    "backoff_longest must be at least backoff_first, %lld ms", pool->backoff_first);
}

void conf_check_scale(const struct scale_conf *scale, struct complaints *complaints)
{
	if (scale->min > scale->max)
		settings_complain(complaints, scale, "min",
		    "min must be at most max, %lld, not %lld", scale->max, scale->min);
	if (scale->spare > scale->max)
		settings_complain(complaints, scale, "spare",
		    "spare must be at most max, %lld, not %lld", scale->max, scale->spare);
}

/* Where two generations share a socket, nobody can tell which of them has answered. */
static void check_canary(const struct pool_conf *pool, struct complaints *complaints)
{
	if (pool->canary == NULL)
		return;
	if (pool->kind != KIND_FASTCGI)
		COMPLAIN(pool, "canary", complaints,
		    "canary is for a fastcgi pool; a %s has no socket",
		    pool_kind_names[pool->kind]);
	else if (pool->listen != NULL && !text_starts(pool->listen, "unix:"))
		COMPLAIN(pool, "canary", complaints,
		    "canary needs a unix socket: at %s old and new workers take from one queue",
		    pool->listen);
}

/* Complains unless the folder of PATH is there; the path is taken apart in a copy. */
static bool folder_is_there(const char *path, struct stat *about, char folder[static 4096])
{
	char copy[4096];

	strncpy(copy, path, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	strcpy(folder, dirname(copy));
	return stat(folder, about) == 0 && S_ISDIR(about->st_mode);
}

static void check_socket_path(const struct pool_conf *pool, struct complaints *complaints)
{
	const char *path;
	char folder[4096];
	struct stat about;

	if (pool->listen == NULL || !text_starts(pool->listen, "unix:/"))
		return;
	path = pool->listen + strlen("unix:");
	if (!folder_is_there(path, &about, folder))
		COMPLAIN(pool, "listen", complaints, "there is no folder %s", folder);
	else if (lstat(path, &about) == 0 && !S_ISSOCK(about.st_mode))
		COMPLAIN(pool, "listen", complaints,
		    "%s exists and is not a socket; it is left alone: choose another path", path);
}

static void check_output(const struct pool_conf *pool, struct complaints *complaints)
{
	const char *path = pool->output;
	char folder[4096];
	struct stat about;

	if (path == NULL && pool->output_direct)
		COMPLAIN(pool, "output_direct", complaints, "%s needs an output", "output_direct");
	if (path == NULL)
		return;
	if (!folder_is_there(path, &about, folder))
		COMPLAIN(pool, "output", complaints, "there is no folder %s", folder);
	else if (lstat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISCHR(about.st_mode))
		COMPLAIN(pool, "output", complaints, "%s is not a regular file", path);
}

/* Whether the pool's user gets as far as its folder and its programs. */
static void check_entrance(const struct plan *plan, struct complaints *complaints)
{
	const char *programs[] = { plan->program, plan->probe };
	char text[ENTRANCE_TEXT];

	for (size_t i = 0; i < COUNT(programs) && programs[i] != NULL; i++) {
		const char *wrong = entrance_check(
		    &plan->who, plan->conf->directory, programs[i], text);

		if (wrong == NULL)
			continue;
		COMPLAIN(plan->conf, "user", complaints, "%s", wrong);
		return;
	}
}

/* Whether its limits can be had at all, and leave it able to run. */
static void check_confinement(const struct plan *plan, struct complaints *complaints)
{
	struct rehearsal rehearsal = { &plan->who, &plan->confinement, plan->program };
	char text[REHEARSAL_TEXT];
	const char *setting;
	const char *wrong = rehearsal_hold(&rehearsal, text, &setting);

	if (wrong != NULL)
		COMPLAIN(plan->conf, setting, complaints, "%s", wrong);
}

void conf_check_pool(const struct pool_conf *pool, struct complaints *complaints)
{
	struct arena *arena = arena_new(8192);
	struct hearing hearing = { pool, complaints };
	struct plan_critic critic = { hear, &hearing };
	struct plan plan;

	check_kind(pool, complaints);
	check_canary(pool, complaints);
	check_socket_path(pool, complaints);
	check_output(pool, complaints);
	if (plan_make(arena, pool, &critic, &plan)) {
		check_entrance(&plan, complaints);
		check_confinement(&plan, complaints);
	}
	arena_free(&arena);
}

static void check_names(const struct conf *conf, const struct pool_conf *pool,
    const char *const *names, struct complaints *complaints)
{
	for (size_t i = 0; i < pool->after.count; i++) {
		const char *name = pool->after.word[i];
		const char *hint = text_closest(name, names);

		if (conf_find(conf, name) >= 0)
			continue;
		if (hint != NULL)
			COMPLAIN(pool, "after", complaints,
			    "after names \"%s\", which is no pool; did you mean \"%s\"?", name,
			    hint);
		else
			COMPLAIN(pool, "after", complaints, "after names \"%s\", which is no pool",
			    name);
	}
}

/* A walk along `after`: how far each pool has been followed, and the way to where we are. */
struct walk {
	const struct conf *conf;
	struct complaints *complaints;
	enum { NEW, ON_THE_WAY, SEEN } * mark;
	size_t *way;
	size_t length;
};

static void complain_of_cycle(const struct walk *walk, size_t again, struct arena *arena)
{
	const struct pool_conf *pool = conf_pool(walk->conf, again);
	struct buffer names;
	size_t first = 0;

	while (walk->way[first] != again)
		first++;
	buffer_start(&names, arena, 256);
	for (size_t i = first; i < walk->length; i++)
		buffer_print(&names, "%s → ", conf_pool(walk->conf, walk->way[i])->named.name);
	buffer_print(&names, "%s", pool->named.name);
	COMPLAIN(pool, "after", walk->complaints, "waits for itself: %.*s", (int)names.length,
	    names.data);
}

/* Depth first: whoever is met again while we are still on the way from him closes a circle. */
static void follow(struct walk *walk, size_t index, struct arena *arena)
{
	const struct pool_conf *pool = conf_pool(walk->conf, index);

	walk->mark[index] = ON_THE_WAY;
	walk->way[walk->length++] = index;
	for (size_t i = 0; i < pool->after.count; i++) {
		size_t next = (size_t)conf_find(walk->conf, pool->after.word[i]);

		if (walk->mark[next] == ON_THE_WAY)
			complain_of_cycle(walk, next, arena);
		else if (walk->mark[next] == NEW)
			follow(walk, next, arena);
	}
	walk->length--;
	walk->mark[index] = SEEN;
}

static void check_cycles(
    const struct conf *conf, struct arena *arena, struct complaints *complaints)
{
	struct walk walk = { .conf = conf, .complaints = complaints };

	walk.mark = arena_alloc(arena, conf->pools.count * sizeof(*walk.mark));
	walk.way = arena_alloc(arena, conf->pools.count * sizeof(*walk.way));
	for (size_t i = 0; i < conf->pools.count; i++)
		if (walk.mark[i] == NEW)
			follow(&walk, i, arena);
}

static void check_addresses(const struct conf *conf, struct complaints *complaints)
{
	struct address mine, theirs;

	for (size_t i = 0; i < conf->pools.count; i++) {
		const struct pool_conf *pool = conf_pool(conf, i);

		for (size_t j = 0; j < i && pool->listen != NULL; j++) {
			const struct pool_conf *other = conf_pool(conf, j);

			if (other->listen == NULL || address_parse(pool->listen, &mine) != NULL ||
			    address_parse(other->listen, &theirs) != NULL ||
			    !address_same(&mine, &theirs))
				continue;
			COMPLAIN(pool, "listen", complaints,
			    "pool %s (%s) listens at the same address", other->named.name,
			    other->named.where);
		}
	}
}

static void check_log_file(const struct conf *conf, struct complaints *complaints)
{
	const char *path = conf->log_file;
	char folder[4096];
	struct stat about;

	if (path == NULL)
		return;
	if (path[0] != '/')
		settings_complain(complaints, conf, "log_file",
		    "log_file must be an absolute path, not \"%s\"", path);
	else if (!folder_is_there(path, &about, folder))
		settings_complain(
		    complaints, conf, "log_file", "log_file: there is no folder %s", folder);
	else if (lstat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISCHR(about.st_mode))
		settings_complain(
		    complaints, conf, "log_file", "log_file: %s is not a regular file", path);
}

static void check_control(const struct conf *conf, struct complaints *complaints)
{
	char folder[4096];
	struct stat about;

	if (!folder_is_there(conf->control, &about, folder))
		settings_complain(complaints, conf, "control",
		    "control: there is no folder %s; make it: mkdir -m 0700 %s", folder, folder);
	else if ((about.st_mode & 077) != 0)
		settings_complain(complaints, conf, "control",
		    "control: others can enter %s (mode %04o): chmod 0700 %s", folder,
		    about.st_mode & 07777, folder);
	else if (lstat(conf->control, &about) == 0 && !S_ISSOCK(about.st_mode))
		settings_complain(complaints, conf, "control",
		    "control: %s exists and is not a socket; it is left alone", conf->control);
	if (conf->pid_file == NULL)
		return;
	if (!folder_is_there(conf->pid_file, &about, folder))
		settings_complain(
		    complaints, conf, "pid_file", "pid_file: there is no folder %s", folder);
	else if (lstat(conf->pid_file, &about) == 0 && !S_ISREG(about.st_mode))
		settings_complain(complaints, conf, "pid_file",
		    "pid_file: %s is not a regular file", conf->pid_file);
}

void conf_check_all(const struct conf *conf, struct complaints *complaints)
{
	struct arena *arena = arena_new(4096);
	const char **names = arena_alloc(arena, (conf->pools.count + 1) * sizeof(*names));
	bool known = true;

	for (size_t i = 0; i < conf->pools.count; i++)
		names[i] = conf_pool(conf, i)->named.name;
	for (size_t i = 0; i < conf->pools.count; i++) {
		const struct pool_conf *pool = conf_pool(conf, i);

		check_names(conf, pool, names, complaints);
		for (size_t j = 0; j < pool->after.count; j++)
			known = known && conf_find(conf, pool->after.word[j]) >= 0;
	}
	if (conf->pools.count == 0)
		settings_complain(complaints, conf, "pools", "pools has no pool in it");
	if (known)
		check_cycles(conf, arena, complaints);
	check_addresses(conf, complaints);
	check_control(conf, complaints);
	check_log_file(conf, complaints);
	arena_free(&arena);
}
