/* kinds.h - the kinds of jobs that a program's features declare. */
#ifndef CORE_JOBS_KINDS_H
#define CORE_JOBS_KINDS_H

#include "base/arena.h"
#include "core/route.h"

/* For each kind of all features. */
#define EACH_KIND(kind, features)                                                               \
	for (const struct feature *const *feature_ = (features); *feature_ != NULL; feature_++) \
	EACH_JOB(kind, *feature_)

/* NULL when no feature declares it. */
const struct job_kind *kinds_find(const struct feature *const *features, const char *name);

/* The name most like NAME, or NULL. */
const char *kinds_closest(struct arena *, const struct feature *const *features, const char *name);

/*
 * Ends the program when a table is wrong: two kinds of one name, one without a
 * handler, a cron line that nobody can read.  To be called once, at the start.
 */
void kinds_check(const struct feature *const *features);

/* A kind's columns, or their defaults. */
long long kind_attempts(const struct job_kind *);
long long kind_priority(const struct job_kind *);
long long kind_timeout_s(const struct job_kind *);
bool kind_is_limited(const struct job_kind *);

/* Before the attempt that follows ATTEMPT failed ones. */
long long kind_backoff_ms(const struct job_kind *, long long attempt);

#endif
