/* jobs.c - a process that runs jobs: starts its threads, and ends them. */
#include "core/jobs/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signal_fd.h"
#include "core/jobs/keeper.h"
#include "core/jobs/kinds.h"
#include "core/jobs/leader.h"
#include "core/jobs/runner.h"

struct process {
	struct runner *runner;
	struct leader *leader;
	struct hand *hand;
	int ended; /* an eventfd: readable when the runner has left */
};

static void *run(void *of)
{
	struct process *process = of;
	uint64_t one = 1;

	runner_run(process->runner);
	if (write(process->ended, &one, sizeof(one)) < 0)
		bug("eventfd: %s", strerror(errno));
	return NULL;
}

static void *lead(void *of)
{
	struct process *process = of;

	while (!hand_is_stopping(process->hand))
		hand_rest(process->hand, leader_round(process->leader));
	return NULL;
}

static pthread_t start(void *(*what)(void *), struct process *process)
{
	pthread_t thread;
	int failure = pthread_create(&thread, NULL, what, process);

	if (failure != 0)
		die("cannot start a thread: %s", strerror(failure));
	return thread;
}

static void run_threads(struct process *process, const struct jobs_options *options)
{
	int signals = signal_fd_open((const int[]){ SIGTERM, SIGINT, 0 });
	pthread_t runner, leader = pthread_self();

	process->ended = eventfd(0, EFD_CLOEXEC);
	if (process->ended < 0)
		die("eventfd: %s", strerror(errno));
	runner = start(run, process);
	if (!options->once)
		leader = start(lead, process);
	options->ready();
	keeper_run(process->hand, options, signals, process->ended);
	hand_stop(process->hand);
	pthread_join(runner, NULL);
	if (!options->once)
		pthread_join(leader, NULL);
	close(process->ended);
	close(signals);
}

bool jobs_run(struct application *app, const struct jobs_options *options)
{
	struct arena *arena = arena_new(16 << 10);
	/* A job counts as a request there: ostlerctl(8) shows it, and ostlerd sees its deadline. */
	struct scoreboard *board = scoreboard_attach(1);
	struct lanes lanes = lanes_of(app->features, arena);
	struct hand hand;
	struct process process = { .hand = &hand };
	bool well = true;

	hand_init(&hand, &lanes, arena);
	process.runner = runner_new(app, options, &lanes, &hand, &board->slot[0]);
	process.leader = leader_new(app, options, &lanes);
	if (options->once)
		well = leader_serve_once(process.leader);
	if (well)
		run_threads(&process, options);
	runner_free(&process.runner);
	leader_free(&process.leader);
	hand_destroy(&hand);
	scoreboard_detach(&board);
	arena_free(&arena);
	return well;
}
