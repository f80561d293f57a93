/* confine.c - what a pool's limits, capabilities and paths mean: the settings limits to landlock.
 */
#include "supervisor/conf/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "supervisor/conf/plan.h"
#include "supervisor/system/capability.h"

struct making {
	struct arena *arena;
	const struct pool_conf *conf;
	const struct plan_critic *critic;
	struct confinement *confinement;
	bool wrong;
};

static void complain(struct making *m, const char *setting, const char *message)
{
	m->critic->hear(m->critic->owner, setting, message);
	m->wrong = true;
}

static bool is_set_before(const struct limit *limit, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (limit[i].resource == limit[count].resource)
			return true;
	return false;
}

static void make_limits(struct making *m)
{
	const struct words *texts = &m->conf->limits;
	struct limit *limit = arena_alloc(m->arena, (texts->count + 1) * sizeof(*limit));
	size_t count = 0;

	for (size_t i = 0; i < texts->count; i++) {
		const char *wrong = limit_parse(m->arena, texts->word[i], &limit[count]);

		if (wrong == NULL && is_set_before(limit, count))
			wrong = arena_print(m->arena, "\"%s\": %s stands there twice",
			    texts->word[i], limit_name(limit[count].resource));
		if (wrong != NULL)
			complain(m, "limits", arena_print(m->arena, "limits: %s", wrong));
		else
			count++;
	}
	m->confinement->limit = limit;
	m->confinement->limits = count;
}

static void make_processors(struct making *m)
{
	cpu_set_t *set;

	if (m->conf->cpus == NULL)
		return;
	set = arena_alloc(m->arena, sizeof(*set));
	if (!processors_parse(m->conf->cpus, set))
		complain(m, "cpus",
		    arena_print(m->arena,
			"cpus must be numbers of processors, as \"0\" or \"0-3,8\", not \"%s\"",
			m->conf->cpus));
	m->confinement->processors = set;
}

static void make_capabilities(struct making *m)
{
	const struct words *names = &m->conf->capabilities;

	m->confinement->bounded = names->word != NULL;
	for (size_t i = 0; i < names->count; i++) {
		int number = capability_find(names->word[i]);

		if (number >= 0)
			m->confinement->capabilities |= UINT64_C(1) << number;
		else
			complain(m, "capabilities",
			    arena_print(m->arena,
				"there is no capability \"%s\"; write it as \"net_bind_service\"",
				names->word[i]));
	}
}

static void check_paths(struct making *m, const char *setting, const struct words *paths)
{
	struct stat about;

	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->word[i];

		if (path[0] != '/')
			complain(m, setting,
			    arena_print(
				m->arena, "%s needs absolute paths, not \"%s\"", setting, path));
		else if (stat(path, &about) < 0)
			complain(m, setting,
			    arena_print(m->arena, "%s: %s: %s", setting, path, strerror(errno)));
	}
}

static void make_files(struct making *m)
{
	const struct pool_conf *conf = m->conf;
	struct confinement *confinement = m->confinement;

	confinement->files = (struct landlock_paths){ &conf->readable, &conf->writable };
	confinement->files_limited = conf->readable.word != NULL || conf->writable.word != NULL;
	confinement->best_effort = conf->landlock == LANDLOCK_BEST_EFFORT;
	check_paths(m, "readable", &conf->readable);
	check_paths(m, "writable", &conf->writable);
	/* The kernel asks for it: else a set-id program could be led astray. */
	if (confinement->files_limited && !conf->no_new_privs)
		complain(m, "no_new_privs",
		    "readable and writable need no_new_privs, which is false here");
}

bool confine_make(struct arena *arena, const struct pool_conf *conf,
    const struct plan_critic *critic, struct confinement *confinement)
{
	struct making making = {
		.arena = arena, .conf = conf, .critic = critic, .confinement = confinement
	};

	*confinement = (struct confinement){ .nice = (int)conf->nice,
		.no_new_privileges = conf->no_new_privs };
	make_limits(&making);
	make_processors(&making);
	make_capabilities(&making);
	make_files(&making);
	return !making.wrong;
}
