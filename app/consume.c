/* consume.c - the roles of events: apply them, add them up anew, send dead letters once more. */
#include "core/events/consume.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/events/redrive.h"
#include "core/input/instant.h"
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

const struct event_kind *event_kind_named(const struct ostler_program *program, const char *name)
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

/* --- adding up anew --- */

/* A rebuild reads days of events: it may take its time. */
#define REBUILD_MS (3600 * 1000LL)

static int rebuild(const struct ostler_program *program, const struct config *config,
    const struct event_kind *kind, const char *from)
{
	struct footing footing;
	struct statement statement = { .sql = kind->rebuild, .count = 1 };
	struct value day = value_text(from);
	struct rows *rows;
	int status = EXIT_FAILURE;

	footing_plan(&footing, program, config, "consume");
	footing.database.timeout_ms = REBUILD_MS;
	footing_open(&footing);
	statement.values = &day;
	rows = db_run(footing.app.db, footing.arena, &statement);
	if (rows->fate == DONE) {
		printf("%s events since %s were added up anew\n", rows_text(rows, 0, 0), from);
		status = EXIT_SUCCESS;
	} else {
		fprintf(
		    stderr, "%s: the database did not do it; nothing has changed\n", program->name);
	}
	rows_free(rows);
	footing_close(&footing);
	return status;
}

/* The day of an instant, or a day, if all of it is in the log; NULL after saying why not. */
static const char *day_of(const struct ostler_program *program, const struct config *config,
    const char *from, char day[static CLOCK_TEXT])
{
	long long oldest = clock_wall() / 1000 - config->event_days * 24 * 3600 * 1000;
	char first[CLOCK_TEXT];

	if (!date_is_valid(from) && !instant_is_valid(from)) {
		fprintf(stderr,
		    "%s: \"%s\" is no day and no time: 2026-01-31, or 2026-01-31T23:59:59Z\n",
		    program->name, from);
		return NULL;
	}
	clock_rfc3339(day, date_is_valid(from) ? 0 : instant_ms(from) * 1000);
	if (date_is_valid(from))
		snprintf(day, CLOCK_TEXT, "%s", from);
	day[strlen("2026-01-31")] = '\0';
	clock_rfc3339(first, oldest * 1000);
	first[strlen("2026-01-31")] = '\0';
	if (strcmp(day, first) >= 0)
		return day;
	fprintf(stderr, "%s: the log begins on %s: what is before cannot be added up anew\n",
	    program->name, first);
	return NULL;
}

static int rebuild_from(
    const struct ostler_program *program, const struct config *config, char **words)
{
	const struct event_kind *kind = words[0] != NULL ? event_kind_named(program, words[1])
							 : NULL;
	char day[CLOCK_TEXT];

	if (words[0] == NULL)
		fprintf(stderr, "usage: %s -c FILE consume --from TIME [KIND]\n", program->name);
	if (kind == NULL || day_of(program, config, words[0], day) == NULL)
		return EXIT_USAGE;
	if (kind->rebuild == NULL) {
		fprintf(stderr, "%s: %s are not added up\n", program->name, kind->name);
		return EXIT_USAGE;
	}
	return rebuild(program, config, kind, day);
}

/* --- dead letters --- */

int role_redrive(const struct ostler_program *program, const struct config *config, char **words)
{
	const struct event_kind *kind = event_kind_named(program, words[0]);
	struct footing footing;
	long long count;

	if (kind == NULL)
		return EXIT_USAGE;
	footing_plan(&footing, program, config, "redrive");
	footing_open(&footing);
	footing_open_outlets(&footing);
	if (footing.app.outlets == NULL)
		die("no broker is configured: dead letters have nowhere to go");
	count = redrive_run(&footing.app, kind);
	if (count >= 0)
		printf("%lld dead letters were sent once more\n", count);
	footing_close(&footing);
	return count >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- applying --- */

int role_consume(const struct ostler_program *program, const struct config *config, char **words)
{
	bool once = words[0] != NULL && strcmp(words[0], "--once") == 0, well;
	const char *name = words[once];
	const struct event_kind *kind;
	struct footing footing;

	if (words[0] != NULL && strcmp(words[0], "--from") == 0)
		return rebuild_from(program, config, words + 1);
	if (name != NULL && (name[0] == '-' || words[once + 1] != NULL)) {
		fprintf(stderr, "usage: %s -c FILE consume [--once | --from TIME] [KIND]\n",
		    program->name);
		return EXIT_USAGE;
	}
	kind = event_kind_named(program, name);
	if (kind == NULL)
		return EXIT_USAGE;
	footing_plan(&footing, program, config, "consume");
	footing_open(&footing);
	footing_open_tracer(&footing);
	footing_open_outlets(&footing);
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
