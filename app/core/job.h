/*
 * job.h - how a feature declares work that is done later.
 *
 * A kind of job is one const struct beside the feature's routes.  From it come
 * the check of its arguments when it is enqueued, how often and how late it is
 * tried again, what bounds it, and the operators' page.  A job's handler has the
 * same context as a request's: input(), query(), the cache; it answers by one of
 * the job_… functions of core.h.
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include "core/shape.h"

struct request;

/* How a handler has ended; made by core.h's job_… functions alone. */
enum job_end {
	JOB_DONE = 1,
	JOB_FAILED,  /* to be tried again */
	JOB_REFUSED, /* no further try would help */
	JOB_STOPPED, /* it was told to stop, and has */
};

typedef enum job_end job_fn(struct request *);

struct job_kind {
	const char *name; /* "sales.reprocess": the feature's name, and what is done */
	const char *summary;
	const struct shape *takes; /* NULL: nothing */
	job_fn *run;

	/*
	 * Otherwise everything that the handler asks of the database is one
	 * transaction, which also says that the job is done: its effect happens once,
	 * whatever dies when.  A handler that may run twice without harm says so
	 * here; its statements are then on their own, and many jobs are completed at
	 * once.
	 */
	bool idempotent;

	/* For each: 0 takes the default. */
	long long max_attempts;              /* 10; then it is a dead letter */
	long long backoff_s, backoff_most_s; /* 5 before the second attempt, doubling up to 3600 */
	long long timeout_s;                 /* 300; then its process is killed */
	long long priority;                  /* 100; the kind with the lowest is asked first */

	/*
	 * Names of arguments, separated by blanks: while a job with the same values
	 * has not begun, enqueueing gives that one.  "*": all arguments.
	 */
	const char *unique;

	long long running_most; /* at once, over all processes; 0: no limit */
	long long per_second;   /* begun, over all processes; 0: no limit */
};

/* The columns that every kind has; the others follow by name. */
#define JOB(called, says, function) .name = called, .summary = says, .run = function

#define JOBS(...)                        \
	(const struct job_kind *const[]) \
	{                                \
		__VA_ARGS__, NULL        \
	}

/* A job at regular times: five fields as crontab(5) has them, in UTC, or "@daily". */
struct cron {
	const char *name; /* unlike any other's, for ever: the database remembers when it ran */
	const char *spec;
	const struct job_kind *kind;
	const char *args; /* JSON; NULL: {} */
};

#define CRONS(...)                   \
	(const struct cron[])        \
	{                            \
		__VA_ARGS__,         \
		{                    \
			.name = NULL \
		}                    \
	}

#endif
