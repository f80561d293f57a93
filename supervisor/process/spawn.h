/* spawn.h - the birth of workers and of the probes that look at them. */
#ifndef SUPERVISOR_PROCESS_SPAWN_H
#define SUPERVISOR_PROCESS_SPAWN_H

#include "supervisor/pool/pool.h"

/* What every birth needs. */
struct spawner {
	struct loop *loop;
	struct arena *scratch;     /* reset by each birth */
	const char *notify_name;   /* of the socket for NOTIFY_SOCKET */
	struct ledgers *ledgers;   /* for the scoreboards */
	struct captures *captures; /* of what workers print */
	struct cgroups *cgroups;   /* NULL: workers are process groups and no more */
	struct guardian *guardian; /* hears of each; NULL: there is none */
	struct inquests *inquests; /* of workers that hang */
	pid_t master;
};

/*
 * Forks the worker's process; it becomes STARTING.  Whether exec succeeds is
 * heard later on its report pipe.  False with errno set: no process was made.
 */
bool spawn_worker(struct spawner *, struct worker *, int64_t now) MUST_CHECK;

/* Reads what the child had to report, if it did: a failure is in the worker's cause. */
void spawn_hear_report(struct spawner *, struct worker *);

/* Listens to the report of a process that is there already; FD -1: it has reported.  False with
 * errno set. */
bool spawn_watch_report(struct spawner *, struct worker *, int fd) MUST_CHECK;

/* Its process is dead or was never made: what it has done joins its pool's totals. */
void spawn_close_board(struct worker *);

/* Forks the command of ready = "exec:…".  False with errno set. */
bool spawn_probe(struct spawner *, struct worker *, int64_t now) MUST_CHECK;

/* Ends a look that is under way. */
void spawn_end_probe(struct worker *);

/*
 * Forks the pool's trace_command, which prints to OUTPUT what it sees of the worker's
 * process.  It is the pool's user, as any other of his processes may look; but the
 * worker's limits are not for it.  Returns its pid, or -1 with errno set.
 */
pid_t spawn_trace_command(struct spawner *, const struct worker *, int output) MUST_CHECK;

/* Sends a signal to the worker's process; a worker without one is left alone. */
void spawn_signal(const struct worker *, int signal);

/* Any number, to spread those who try again. */
uint32_t spawn_any_number(void);

/* Kills the worker's process and all that are in its cgroup, or else in its process group. */
void spawn_kill_group(const struct worker *);

#endif
