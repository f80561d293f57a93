/* consume.c - the role that applies events: one kind of them per process, one process per slot. */
#include "core/events/consume.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "footing.h"
#include "roles.h"

/* Unlike any other's: a process that is given our number later must not pass for us. */
static const char *member_name(struct arena *arena)
{
	char host[HOST_NAME_MAX + 1] = "unnamed";

	gethostname(host, sizeof(host) - 1);
	return arena_print(
	    arena, "%s:%d:%lld", host, (int)getpid(), (long long)(clock_wall() / 1000));
}

/* Consumers side by side have different slots, and so do those of two generations mostly. */
static int shard(void)
{
	const char *slot = getenv("OSTLER_SLOT");

	return (int)((slot != NULL ? strtol(slot, NULL, 10) : (long)getpid()) % EVENT_SHARDS);
}

/* The kind called NAME, or the only one.  NULL after saying why there is none. */
static const struct event_kind *find_kind(const struct ostler_program *program, const char *name)
{
	const struct event_kind *found = NULL;
	int kinds = 0;

	for (const struct feature *const *feature = program->features; *feature != NULL; feature++)
		EACH_EVENT(kind, *feature)
		{
			if (name == NULL || strcmp((*kind)->name, name) == 0)
				found = *kind;
			kinds++;
		}
	if (found != NULL && (name != NULL || kinds == 1))
		return found;
	fprintf(stderr, "%s: %s%s%s\n", program->name,
	    kinds == 0     ? "no feature hears events"
	    : name != NULL ? "there is no kind of event "
			   : "which kind of event? Name one of several",
	    kinds > 0 && name != NULL ? name : "", "");
	return NULL;
}

int role_consume(const struct ostler_program *program, const struct config *config, char **words)
{
	bool once = words[0] != NULL && strcmp(words[0], "--once") == 0, well;
	const char *name = words[once];
	const struct event_kind *kind;
	struct footing footing;

	if (name != NULL && (name[0] == '-' || words[once + 1] != NULL)) {
		fprintf(stderr, "usage: %s -c FILE consume [--once] [KIND]\n", program->name);
		return EXIT_USAGE;
	}
	kind = find_kind(program, name);
	if (kind == NULL)
		return EXIT_USAGE;
	footing_plan(&footing, program, config, "consume");
	footing_open(&footing);
	if (footing.app.outlets == NULL)
		die("no broker is configured: there is nothing to consume from");
	well = consume_run(&footing.app, &(struct consume_options){ .kind = kind,
					     .conninfo = config->database,
					     .application = footing.database.application,
					     .member = member_name(footing.arena),
					     .group = config->consume_group,
					     .batch_most = config->consume_batch,
					     .linger_ms = config->consume_linger,
					     .lease_ms = config->consume_lease,
					     .keep_ms = config->broker_keep,
					     .timeout_ms = config->consume_database_timeout,
					     .retry_ms = config->database_retry,
					     .deliveries_most = config->consume_deliveries,
					     .shard = shard(),
					     .once = once,
					     .ready = footing_say_ready,
					     .stopping = footing_say_stopping });
	footing_close(&footing);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
