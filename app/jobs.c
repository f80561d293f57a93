/* jobs.c - the roles of the queue: run its jobs, or put one in. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core/jobs/enqueue.h"
#include "core/jobs/jobs.h"
#include "footing.h"
#include "roles.h"

/* Where a job was taken to, as the operators' page shows it. */
static const char *worker_name(struct arena *arena)
{
	char host[HOST_NAME_MAX + 1] = "unnamed";

	gethostname(host, sizeof(host) - 1);
	return arena_print(arena, "%s:%d", host, (int)getpid());
}

int role_jobs(const struct ostler_program *program, const struct config *config, char **words)
{
	bool once = words[0] != NULL && strcmp(words[0], "--once") == 0, well;
	struct footing footing;

	if (words[0] != NULL && (!once || words[1] != NULL)) {
		fprintf(stderr, "usage: %s -c FILE jobs [--once]\n", program->name);
		return EXIT_USAGE;
	}
	footing_plan(&footing, program, config, "jobs");
	/* A handler may take its time where a request may not. */
	footing.database.timeout_ms = config->jobs_database_timeout;
	footing_open(&footing);
	footing_open_tracer(&footing);
	footing_open_mail(&footing);
	well = jobs_run(&footing.app, &(struct jobs_options){ .conninfo = config->database,
					  .application = footing.database.application,
					  .worker = worker_name(footing.arena),
					  .batch_most = config->jobs_batch,
					  .lease_ms = config->jobs_lease,
					  .beat_ms = config->jobs_beat,
					  .idle_ms = config->jobs_idle,
					  .upkeep_ms = config->jobs_upkeep,
					  .retry_ms = config->database_retry,
					  .finish_ms = config->jobs_finish,
					  .history_days = config->jobs_history,
					  .once = once,
					  .ready = footing_say_ready,
					  .stopping = footing_say_stopping });
	footing_close(&footing);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* For people and scripts: the same check, and the same queue, as a handler's enqueue(). */
int role_enqueue(const struct ostler_program *program, const struct config *config, char **words)
{
	const char *json = words[0] != NULL && words[1] != NULL ? words[1] : "{}";
	const char *wrong = NULL, *id;
	struct footing footing;
	struct request *rq;

	if (words[0] == NULL || (words[1] != NULL && words[2] != NULL)) {
		fprintf(stderr, "usage: %s -c FILE enqueue KIND [JSON]\n", program->name);
		return EXIT_USAGE;
	}
	footing_plan(&footing, program, config, "enqueue");
	footing_open(&footing);
	rq = request_new(&footing.app, footing.arena);
	trace_start(&rq->trace, NULL, NULL);
	id = enqueue_named(rq, words[0], json, &wrong);
	if (wrong != NULL)
		fprintf(stderr, "%s: %s\n", program->name, wrong);
	else if (id == NULL)
		fprintf(stderr, "%s: the queue does not take it just now\n", program->name);
	if (id != NULL) {
		puts(id);
		jobs_wake(rq);
	}
	request_end(rq);
	footing_close(&footing);
	return id != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
