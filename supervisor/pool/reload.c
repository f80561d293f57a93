/*
 * reload.c - from one configuration to the next, whole or not at all.
 *
 * A reload is either idle or starting.  What it means for each pool is worked
 * out by change.c; how the old generations leave is drain.c's business.
 */
#include "supervisor/pool/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/conf/reading.h"
#include "supervisor/pool/change.h"
#include "supervisor/pool/drain.h"
#include "supervisor/pool/generation.h"
#include "supervisor/record/events.h"
#include "supervisor/upgrade/state.h"

#define RESULTS_KEPT 8

struct result {
	unsigned long long number;
	enum reload_result result; /* SWITCHED or FAILED */
	char *text;
};

struct reload {
	struct pools *pools;
	const char *file;
	const struct conf *started; /* what ostlerd was started with */
	struct loop *loop;
	struct reading *reading; /* under way; NULL: none is */
	struct arena *arena;     /* of the reload under way */
	struct change *change;   /* one for each pool, of the reload under way; NULL: idle */
	struct edition *edition;
	unsigned long long number; /* of the last that has begun */
	struct wish_list pending, present;
	struct result results[RESULTS_KEPT];
};

struct reload *reload_new(
    struct pools *pools, struct loop *loop, const char *file, const struct conf *started)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (reload == NULL)
		die("out of memory");
	reload->pools = pools;
	reload->loop = loop;
	reload->file = file;
	reload->started = started;
	reload->arena = arena_new(4096);
	return reload;
}

/* All ends: nobody wants to know any more what stands there. */
static void abandon_reading(struct reload *reload)
{
	char *complaints;
	const struct conf *conf = reading_take(&reload->reading, &complaints);

	free(complaints);
	if (conf != NULL)
		conf_free(&conf);
}

void reload_free(struct reload **reload)
{
	if (*reload == NULL)
		return;
	if ((*reload)->reading != NULL)
		abandon_reading(*reload);
	for (size_t i = 0; i < RESULTS_KEPT; i++)
		free((*reload)->results[i].text);
	edition_drop(&(*reload)->edition);
	arena_free(&(*reload)->arena);
	free(*reload);
	*reload = NULL;
}

/* Too many different wishes at once become the wish for everything. */
unsigned long long reload_ask(struct reload *reload, const struct reload_wish *wish)
{
	struct wish_list *list = &reload->pending;
	struct wish *next = &list->wish[list->count < WISHES_KEPT ? list->count : 0];

	event_master(EVENT_RELOAD, "%s: %s", wish->who, wish->pool != NULL ? wish->pool : "all");
	if (list->count == WISHES_KEPT)
		*next = (struct wish){ .kind = wish->kind };
	else if (change_wanted(list, wish->pool) < (int)wish->kind) {
		*next = (struct wish){ .kind = wish->kind };
		snprintf(
		    next->pool, sizeof(next->pool), "%s", wish->pool != NULL ? wish->pool : "");
		list->count++;
	}
	return reload->number + 1;
}

/* --- results ---------------------------------------------------------------------------------- */

static void record(struct reload *reload, enum reload_result result, const char *text)
{
	struct result *kept = &reload->results[reload->number % RESULTS_KEPT];

	free(kept->text);
	*kept = (struct result){ .number = reload->number, .result = result };
	kept->text = text != NULL ? strdup(text) : NULL;
}

static bool is_idle(const struct reload *reload)
{
	return reload->reading == NULL && reload->change == NULL;
}

bool reload_is_under_way(const struct reload *reload)
{
	return !is_idle(reload);
}

static bool is_drained(const struct reload *reload, unsigned long long number)
{
	for (size_t i = 0; i < reload->pools->count; i++)
		for (const struct generation *g = reload->pools->pool[i]->newest; g != NULL;
		     g = g->older)
			if (g->retired_by != 0 && g->retired_by <= number)
				return false;
	return true;
}

enum reload_result reload_result(
    const struct reload *reload, unsigned long long number, const char **text)
{
	const struct result *kept = &reload->results[number % RESULTS_KEPT];

	*text = "it was long ago";
	if (number > reload->number || (number == reload->number && !is_idle(reload)))
		return RELOAD_PENDING;
	if (kept->number != number)
		return RELOAD_FAILED;
	*text = kept->text;
	if (kept->result == RELOAD_SWITCHED && is_drained(reload, number))
		return RELOAD_DRAINED;
	return kept->result;
}

/* --- the end of a reload ---------------------------------------------------------------------- */

static void end(struct reload *reload)
{
	reload->change = NULL;
	edition_drop(&reload->edition);
	arena_reset(reload->arena);
	pools_put_in_order(reload->pools);
}

/* All lines of the text go to the log, the first to the record. */
static void fail(struct reload *reload, const char *text)
{
	char *copy = arena_copy(reload->arena, text, strlen(text));
	char *rest = copy;

	record(reload, RELOAD_FAILED, text);
	event_master(EVENT_RELOAD_FAILED, "%.*s", (int)strcspn(text, "\n"), text);
	log_warn("reload %llu has failed:", reload->number);
	for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		log_warn("reload %llu: %s", reload->number, line);
}

/* Whatever was started for it ends; the generations that serve have noticed nothing. */
static void roll_back(struct reload *reload, const char *why, int64_t now)
{
	fail(reload, why);
	for (const struct change *c = reload->change; c->pool != NULL; c++) {
		if (c->coming == NULL || c->coming->phase != GENERATION_COMING)
			continue;
		c->pool->removed = c->pool->removed || c->pool->generation == c->coming;
		drain_retire(c->coming, now);
	}
	end(reload);
}

/* False: its place could not be had, which can hardly be, for it was bound beside it. */
static bool take_over(struct reload *reload, const struct change *change, int64_t now)
{
	struct generation *old = change->pool->generation;
	struct generation *coming = change->coming;
	const char *wrong;

	if (coming->listener != NULL &&
	    !listener_publish(reload->arena, coming->listener, &wrong)) {
		fail(reload, wrong);
		return false;
	}
	event_generation(EVENT_GENERATION_SWITCH, coming, "from generation %lld",
	    old != coming ? old->number : 0);
	change->pool->generation = coming;
	change->pool->drained = false;
	change->pool->outdated = false;
	generation_becomes(coming, GENERATION_SERVING, now);
	if (old == coming)
		return true;
	old->retired_by = reload->number;
	drain_retire(old, now);
	return true;
}

/* A change that is not applied must not go unnoticed. */
static void tell_of_the_rest(const struct reload *reload)
{
	const char *name = conf_needs_restart(reload->started, edition_conf(reload->edition));

	if (name == NULL)
		return;
	event_master(EVENT_TROUBLE, "%s has changed, which counts from the next start on", name);
	log_warn("reload %llu: %s has changed, which counts from the next start of ostlerd on",
	    reload->number, name);
}

static void commit(struct reload *reload, int64_t now)
{
	const struct conf *conf = edition_conf(reload->edition);
	bool good = true;

	for (const struct change *c = reload->change; c->pool != NULL; c++) {
		if (c->coming != NULL && c->coming->phase == GENERATION_COMING && good)
			good = take_over(reload, c, now);
		if (c->coming != NULL && c->coming->phase == GENERATION_COMING) {
			c->pool->removed = c->pool->generation == c->coming;
			drain_retire(c->coming, now);
		} else if (good) {
			change_apply(c, reload->edition, reload->number, now);
		}
	}
	if (good) {
		record(reload, RELOAD_SWITCHED, NULL);
		log_setup((enum log_level)conf->log_level, (enum log_format)conf->log_format);
		event_master(EVENT_RELOAD_DONE, "reload %llu", reload->number);
		log_info("reload %llu: done", reload->number);
		tell_of_the_rest(reload);
	}
	end(reload);
}

/* --- its beginning ---------------------------------------------------------------------------- */

static void refuse(struct reload *reload, const char *complaints)
{
	event_master(EVENT_RELOAD_REFUSED, "%.*s", (int)strcspn(complaints, "\n"), complaints);
	fail(reload, complaints);
	arena_reset(reload->arena);
}

/* False: it is refused. */
static bool take_configuration(struct reload *reload)
{
	char *complaints;
	const struct conf *conf = reading_take(&reload->reading, &complaints);

	if (conf != NULL)
		reload->edition = edition_new(conf);
	else
		refuse(reload, complaints);
	free(complaints);
	return conf != NULL;
}

static bool open_sockets(struct reload *reload, const char **wrong)
{
	for (const struct change *c = reload->change; c->pool != NULL; c++)
		if (c->coming != NULL && c->coming->plan.conf->listen != NULL &&
		    !generation_listen(reload->arena, c->coming,
			generation_listener_at(reload->pools, &c->coming->plan.address), wrong))
			return false;
	return true;
}

static void begin(struct reload *reload)
{
	reload->number++;
	reload->present = reload->pending;
	reload->pending.count = 0;
	reload->reading = reading_begin(reload->loop, reload->file);
}

/* The configuration is there: from now on generations are started. */
static void go_on(struct reload *reload, int64_t now)
{
	const char *wrong = NULL;

	if (!take_configuration(reload))
		return;
	reload->change = change_work_out(
	    reload->arena, reload->pools, reload->edition, &reload->present, &wrong);
	pools_put_in_order(reload->pools);
	if (wrong != NULL || !open_sockets(reload, &wrong))
		roll_back(reload, wrong, now);
}

/* What stands against going on, or NULL; READY: nothing does, and all is there. */
static const char *look(const struct reload *reload, bool *ready)
{
	*ready = true;
	if (reload->pools->stopping != STOP_NOT)
		return "all is being stopped";
	for (const struct change *c = reload->change; c->pool != NULL; c++) {
		if (c->awaited != NULL) {
			*ready = *ready && generation_is_ready(c->awaited);
			if (c->awaited->failure != NULL)
				return c->awaited->failure;
		}
		if (c->coming == NULL)
			continue;
		if (c->coming->failure != NULL)
			return c->coming->failure;
		*ready = *ready && generation_is_ready(c->coming);
	}
	return NULL;
}

static void start_or_finish(struct reload *reload, int64_t now)
{
	const char *wrong;
	bool ready;

	wrong = look(reload, &ready);
	if (wrong != NULL)
		roll_back(reload, wrong, now);
	else if (ready)
		commit(reload, now);
}

int64_t reload_tick(struct reload *reload, int64_t now)
{
	bool more = reload->pending.count > 0 && reload->pools->stopping == STOP_NOT;

	if (is_idle(reload) && more)
		begin(reload);
	if (reload->reading != NULL && reading_has_ended(reload->reading))
		go_on(reload, now);
	if (reload->change != NULL)
		start_or_finish(reload, now);
	return is_idle(reload) && reload->pending.count > 0 && reload->pools->stopping == STOP_NOT
		   ? now
		   : LOOP_FOREVER;
}

static void pass_result(struct state *state, struct reload *reload, const struct result *kept)
{
	const char *text = state_text(state, reload->arena, "text", kept->text);
	enum reload_result result = (enum reload_result)state_number(
	    state, "result", kept->result, RELOAD_PENDING, RELOAD_FAILED);
	unsigned long long number = (unsigned long long)state_number(
	    state, "number", (long long)kept->number, 0, INT64_MAX);

	if (!state_is_read(state) || number == 0)
		return;
	reload->number = number;
	record(reload, result, text);
}

static const struct state_field wish_fields[] = {
	{ STATE_FIELD(struct wish, kind), .most = RELOAD_RESTART },
	{ STATE_FIELD(struct wish, pool) },
	{ 0 },
};

void reload_pass(struct state *state, struct reload *reload)
{
	state_part(state, "reload");
	for (size_t i = 0; i < RESULTS_KEPT; i++)
		pass_result(state, reload, &reload->results[i]);
	reload->number = (unsigned long long)state_number(
	    state, "number", (long long)reload->number, 0, INT64_MAX);
	reload->pending.count = state_count(state, "pending", reload->pending.count, WISHES_KEPT);
	for (size_t i = 0; i < reload->pending.count; i++)
		state_fields(state, wish_fields, &reload->pending.wish[i]);
}
