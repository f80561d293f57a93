/* kinds.c - the kinds of jobs that a program's features declare. */
#include "core/jobs/kinds.h"

#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "core/jobs/cron.h"
#include "core/jobs/pace.h"

#define ATTEMPTS       10
#define BACKOFF_S      5
#define BACKOFF_MOST_S 3600
#define TIMEOUT_S      300
#define PRIORITY       100

const struct job_kind *kinds_find(const struct feature *const *features, const char *name)
{
	EACH_KIND(kind, features)
	if (strcmp((*kind)->name, name) == 0)
		return *kind;
	return NULL;
}

const char *kinds_closest(
    struct arena *arena, const struct feature *const *features, const char *name)
{
	const char **names;
	size_t count = 0;

	EACH_KIND(kind, features)
	count++;
	names = arena_alloc(arena, (count + 1) * sizeof(*names));
	count = 0;
	EACH_KIND(kind, features)
	names[count++] = (*kind)->name;
	return text_closest(name, names);
}

static void check_crons(const struct feature *feature)
{
	struct cron_times times;

	for (const struct cron *cron = feature->crons; cron != NULL && cron->name != NULL; cron++)
		if (cron->kind == NULL || !cron_read(&times, cron->spec))
			bug("the cron line \"%s\" is no such thing", cron->name);
}

void kinds_check(const struct feature *const *features)
{
	EACH_KIND(kind, features)
	{
		if ((*kind)->name == NULL || (*kind)->run == NULL)
			bug("feature %s has a job without a name or a handler", (*feature_)->name);
		if (kinds_find(features, (*kind)->name) != *kind)
			bug("two kinds of jobs are called %s", (*kind)->name);
	}
	for (const struct feature *const *feature = features; *feature != NULL; feature++)
		check_crons(*feature);
}

static long long or_else(long long value, long long otherwise)
{
	return value != 0 ? value : otherwise;
}

long long kind_attempts(const struct job_kind *kind)
{
	return or_else(kind->max_attempts, ATTEMPTS);
}

long long kind_priority(const struct job_kind *kind)
{
	return or_else(kind->priority, PRIORITY);
}

long long kind_timeout_s(const struct job_kind *kind)
{
	return or_else(kind->timeout_s, TIMEOUT_S);
}

bool kind_is_limited(const struct job_kind *kind)
{
	return kind->running_most != 0 || kind->per_second != 0;
}

long long kind_backoff_ms(const struct job_kind *kind, long long attempt)
{
	uint32_t chance = UINT32_MAX / 2;

	/* Without it there would be no jitter, and no harm. */
	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		log_debug("no random numbers to be had");
	return pace_backoff_ms(attempt, or_else(kind->backoff_s, BACKOFF_S),
	    or_else(kind->backoff_most_s, BACKOFF_MOST_S), chance);
}
