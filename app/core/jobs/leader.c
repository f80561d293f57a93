/*
 * leader.c - what one process at a time does for all that run jobs.
 *
 * Every process tries to take the same advisory lock; the one that has it makes
 * due jobs available, takes jobs from the dead, fires cron lines, and makes and
 * drops the days of the history.  Times are compared in the database: the clocks
 * of workers may say what they like.
 */
#include "core/jobs/leader.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/jobs/args.h"
#include "core/jobs/cron.h"
#include "core/jobs/enqueue.h"
#include "core/jobs/kinds.h"
#include "store/array.h"
#include "store/queue.h"
#include "store/queue_entry.h"
#include "store/queue_upkeep.h"

/* Each of these is asked no more often. */
#define RESCUE_US  SECOND_US
#define CRON_US    SECOND_US
#define HISTORY_US (3600 * SECOND_US)

/* Leases that ended longer ago than this were looked at before, but now and then all are. */
#define RESCUE_ALL_US (60 * SECOND_US)

struct line {
	const struct cron *cron;
	struct cron_times times;
	int64_t next; /* seconds since 1970, by the server's clock */
};

struct leader {
	struct application *app;
	const struct jobs_options *options;
	const struct lanes *lanes;
	struct connection *connection; /* NULL: none just now */
	struct arena *arena, *kept;    /* of a round, and for as long as it lives */
	bool leads;
	struct line *lines;
	size_t line_count;
	int64_t next_rescue, next_rescue_all, next_cron, next_history;
};

static size_t count_crons(const struct feature *const *features)
{
	size_t count = 0;

	for (; *features != NULL; features++)
		for (const struct cron *c = (*features)->crons; c != NULL && c->name != NULL; c++)
			count++;
	return count;
}

static void read_crons(struct leader *l)
{
	const struct feature *const *features = l->app->features;

	l->lines = arena_alloc(l->kept, (count_crons(features) + 1) * sizeof(*l->lines));
	for (; *features != NULL; features++)
		for (const struct cron *c = (*features)->crons; c != NULL && c->name != NULL; c++) {
			struct line *line = &l->lines[l->line_count++];

			line->cron = c;
			if (!cron_read(&line->times, c->spec))
				bug("the cron line \"%s\" is no such thing", c->name);
		}
}

struct leader *leader_new(
    struct application *app, const struct jobs_options *options, const struct lanes *lanes)
{
	struct leader *l = calloc(1, sizeof(*l));

	if (l == NULL)
		die("out of memory");
	l->app = app;
	l->options = options;
	l->lanes = lanes;
	l->arena = arena_new(16 << 10);
	l->kept = arena_new(4096);
	read_crons(l);
	return l;
}

void leader_free(struct leader **l)
{
	if (*l == NULL)
		return;
	connection_close(&(*l)->connection);
	arena_free(&(*l)->arena);
	arena_free(&(*l)->kept);
	free(*l);
	*l = NULL;
}

static int64_t deadline_of(const struct leader *l)
{
	return clock_now() + l->options->lease_ms * 1000 / 2;
}

/* --- the connection, and the lock that lives with it --- */

/* Whether all went well; a connection that failed is closed, and the lead lost with it. */
static bool well(struct leader *l, struct upkeep upkeep)
{
	if (upkeep.fate == DONE)
		return true;
	if (l->leads)
		log_info("this process does not lead any more");
	l->leads = false;
	connection_close(&l->connection);
	return false;
}

static bool connect_now(struct leader *l)
{
	const struct connection_options options = { .conninfo = l->options->conninfo,
		.application = l->options->application,
		.statement_timeout_ms = l->options->lease_ms / 3 };
	struct array kinds;

	if (l->connection != NULL)
		return true;
	l->connection = connection_open(&options, deadline_of(l));
	if (l->connection == NULL)
		return false;
	if (connection_script(l->connection, QUEUE_SESSION, deadline_of(l)) != DONE)
		return well(l, (struct upkeep){ .fate = LOST });
	array_start(&kinds, l->arena);
	for (size_t i = 0; i < l->lanes->count; i++)
		array_add_text(&kinds, l->lanes->of[i].kind->name);
	return well(l, upkeep_register(l->connection, l->arena, array_end(&kinds), deadline_of(l)));
}

/* --- what is due --- */

static bool wake(struct leader *l)
{
	struct rows *rows = connection_run(
	    l->connection, l->arena, &queue_wake_statement, deadline_of(l));
	struct upkeep upkeep = { .fate = rows->fate };

	rows_free(rows);
	return well(l, upkeep);
}

static bool promote(struct leader *l)
{
	long long all = 0;
	struct upkeep upkeep;

	do {
		upkeep = upkeep_promote(l->connection, l->arena, deadline_of(l));
		all += upkeep.rows;
	} while (upkeep.fate == DONE && upkeep.rows == UPKEEP_BATCH);
	return well(l, upkeep) && (all == 0 || wake(l));
}

static bool rescue(struct leader *l, bool all)
{
	long long since_ms = all ? 0 : l->options->lease_ms + 2 * RESCUE_US / 1000;
	long long rescued = 0;
	struct upkeep upkeep;

	do {
		upkeep = upkeep_rescue(l->connection, l->arena, since_ms, deadline_of(l));
		rescued += upkeep.rows;
	} while (upkeep.fate == DONE && upkeep.rows == UPKEEP_BATCH);
	if (rescued > 0)
		log_warn("%lld jobs were taken from workers that died or were cut off", rescued);
	return well(l, upkeep) && (rescued == 0 || wake(l));
}

/* --- cron lines --- */

static struct upkeep_cron told(const struct line *line, int64_t after)
{
	return (struct upkeep_cron){ .name = line->cron->name,
		.spec = line->cron->spec,
		.kind = line->cron->kind->name,
		.next = cron_next(&line->times, after) };
}

/* What is due next, as the database knows it. */
static bool learn_lines(struct leader *l, int64_t now)
{
	for (size_t i = 0; i < l->line_count; i++) {
		struct upkeep_cron cron = told(&l->lines[i], now);
		struct upkeep upkeep = { .fate = DONE, .rows = -1 };

		if (cron.next >= 0)
			upkeep = upkeep_cron(l->connection, l->arena, &cron, deadline_of(l));
		if (!well(l, upkeep))
			return false;
		l->lines[i].next = upkeep.rows;
	}
	return true;
}

static bool fire(struct leader *l, struct line *line, int64_t now)
{
	const struct job_kind *kind = line->cron->kind;
	const char *args = line->cron->args != NULL ? line->cron->args : "{}";
	struct upkeep_cron cron = told(line, now);
	struct request *rq = request_new(l->app, l->arena);
	const char *wrong = jobs_bind(rq, kind, args);
	char id[UUID_TEXT];
	struct queue_entry entry = { .id = id,
		.kind = kind->name,
		.priority = 100,
		.max_attempts = kind_attempts(kind),
		.args = args };
	struct upkeep upkeep;

	if (wrong != NULL)
		bug("the cron line \"%s\": %s", line->cron->name, wrong);
	uuid_make(id);
	entry.unique = args_unique(l->arena, kind->unique, kind->takes, rq->input);
	upkeep = upkeep_fire(l->connection, l->arena, &cron, &entry, deadline_of(l));
	if (!well(l, upkeep))
		return false;
	if (upkeep.rows > 0)
		log_info("cron line \"%s\" enqueued job %s of kind %s", line->cron->name, id,
		    kind->name);
	line->next = cron.next;
	return upkeep.rows == 0 || wake(l);
}

/* A line that was due several times while nobody led is due once. */
static bool fire_lines(struct leader *l)
{
	struct upkeep now;

	if (l->line_count == 0)
		return true;
	now = upkeep_now(l->connection, l->arena, deadline_of(l));
	if (!well(l, now))
		return false;
	for (size_t i = 0; i < l->line_count; i++)
		if (l->lines[i].next >= 0 && l->lines[i].next <= now.rows &&
		    !fire(l, &l->lines[i], now.rows))
			return false;
	return true;
}

/* --- a round --- */

/* Somebody else leads, or does not any more and has not noticed. */
static void look_at_leader(struct leader *l)
{
	struct upkeep silent = upkeep_end_silent(
	    l->connection, l->arena, l->options->lease_ms, deadline_of(l));

	if (well(l, silent) && silent.rows > 0)
		log_warn("whoever led was silent for %lld ms, and does not lead any more",
		    l->options->lease_ms);
}

static bool take_lead(struct leader *l)
{
	struct upkeep lead = upkeep_lead(l->connection, l->arena, deadline_of(l));
	struct upkeep now;

	if (!well(l, lead))
		return false;
	if (lead.rows == 0) {
		look_at_leader(l);
		return false;
	}
	l->leads = true;
	log_info("this process leads");
	l->next_rescue_all = l->next_rescue = l->next_cron = l->next_history = 0;
	now = upkeep_now(l->connection, l->arena, deadline_of(l));
	return well(l, now) && learn_lines(l, now.rows);
}

/* Whether NEXT has come; then it is EVERY from now. */
static bool is_due(int64_t *next, int64_t every)
{
	int64_t now = clock_now();

	if (now < *next)
		return false;
	*next = now + every;
	return true;
}

static bool serve(struct leader *l)
{
	if (!promote(l))
		return false;
	if (is_due(&l->next_rescue, RESCUE_US) &&
	    !rescue(l, is_due(&l->next_rescue_all, RESCUE_ALL_US)))
		return false;
	if (is_due(&l->next_cron, CRON_US) && !fire_lines(l))
		return false;
	if (is_due(&l->next_history, HISTORY_US))
		return well(l, upkeep_history(l->connection, l->arena, l->options->history_days,
				   deadline_of(l)));
	return true;
}

int64_t leader_round(struct leader *l)
{
	bool served = connect_now(l) && (l->leads || take_lead(l)) && serve(l);

	arena_reset(l->arena);
	if (served)
		return l->options->upkeep_ms * 1000;
	return l->connection == NULL ? l->options->retry_ms * 1000 : SECOND_US;
}

bool leader_serve_once(struct leader *l)
{
	bool served = connect_now(l) && rescue(l, true) && promote(l);

	arena_reset(l->arena);
	return served;
}
