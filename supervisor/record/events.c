/* events.c - the flight recorder: what has happened lately, in order. */
#include "supervisor/record/events.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/pool/pool.h"
#include "supervisor/upgrade/state.h"

const char *const event_names[] = {
	[EVENT_MASTER_START] = "master_start",
	[EVENT_MASTER_READY] = "master_ready",
	[EVENT_MASTER_STOP] = "master_stop",
	[EVENT_SIGNAL] = "signal",
	[EVENT_SPAWN] = "spawn",
	[EVENT_SPAWN_FAILED] = "spawn_failed",
	[EVENT_READY] = "ready",
	[EVENT_NOT_READY] = "not_ready",
	[EVENT_CANARY] = "canary",
	[EVENT_CANARY_FAILED] = "canary_failed",
	[EVENT_FINISH] = "finish",
	[EVENT_NOT_FINISHED] = "not_finished",
	[EVENT_STOP] = "stop",
	[EVENT_KILL] = "kill",
	[EVENT_SAID] = "said",
	[EVENT_EXIT] = "exit",
	[EVENT_RECYCLE] = "recycle",
	[EVENT_STUCK] = "stuck",
	[EVENT_TRACE] = "trace",
	[EVENT_FRAME] = "frame",
	[EVENT_RELOAD] = "reload",
	[EVENT_RELOAD_REFUSED] = "reload_refused",
	[EVENT_RELOAD_UNCHANGED] = "reload_unchanged",
	[EVENT_GENERATION_START] = "generation_start",
	[EVENT_GENERATION_READY] = "generation_ready",
	[EVENT_GENERATION_SWITCH] = "generation_switch",
	[EVENT_GENERATION_DRAIN] = "generation_drain",
	[EVENT_GENERATION_END] = "generation_end",
	[EVENT_RELOAD_FAILED] = "reload_failed",
	[EVENT_RELOAD_DONE] = "reload_done",
	[EVENT_UPGRADE] = "upgrade",
	[EVENT_UPGRADE_REFUSED] = "upgrade_refused",
	[EVENT_UPGRADE_DONE] = "upgrade_done",
	[EVENT_POOL_ADDED] = "pool_added",
	[EVENT_POOL_REMOVED] = "pool_removed",
	[EVENT_SCALE] = "scale",
	[EVENT_SCALE_UP] = "scale_up",
	[EVENT_SCALE_DOWN] = "scale_down",
	[EVENT_SCALE_HELD] = "scale_held",
	[EVENT_DRAIN] = "drain",
	[EVENT_RESUME] = "resume",
	[EVENT_LOGS_REOPENED] = "logs_reopened",
	[EVENT_OUTPUT_LOST] = "output_lost",
	[EVENT_TROUBLE] = "trouble",
	NULL,
};

/* One for the program, as there is one log: who has something to tell need not be handed it. */
static struct {
	struct event ring[EVENTS_KEPT];
	unsigned long long newest;   /* number of the last one; 0: none yet */
	struct event_tally *tallies; /* as many as there were ever names of pools */
} recorder;

struct event event_of_master(enum event_kind kind)
{
	return (struct event){ .kind = kind, .lasted = -1, .retry_in = -1 };
}

struct event event_of_pool(enum event_kind kind, const struct pool *pool)
{
	struct event event = event_of_master(kind);

	snprintf(event.pool, sizeof(event.pool), "%s", pool->name);
	if (pool->generation != NULL)
		event.generation = pool->generation->number;
	return event;
}

struct event event_of_generation(enum event_kind kind, const struct generation *generation)
{
	struct event event = event_of_pool(kind, generation->pool);

	event.generation = generation->number;
	return event;
}

struct event event_of_worker(enum event_kind kind, const struct worker *worker)
{
	struct event event = event_of_generation(kind, worker->generation);

	event.slot = worker->slot;
	event.pid = worker->pid;
	return event;
}

static void say(struct event *event, const char *format, va_list values)
{
	vsnprintf(event->text, sizeof(event->text), format, values);
}

void event_say(struct event *event, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	say(event, format, values);
	va_end(values);
}

static struct event_tally *tally_of(const char *pool)
{
	struct event_tally *tally = recorder.tallies;

	while (tally != NULL && strcmp(tally->pool, pool) != 0)
		tally = tally->next;
	if (tally != NULL)
		return tally;
	tally = calloc(1, sizeof(*tally));
	if (tally == NULL)
		die("out of memory for a pool's events");
	snprintf(tally->pool, sizeof(tally->pool), "%s", pool);
	tally->next = recorder.tallies;
	recorder.tallies = tally;
	return tally;
}

static void count(const struct event *event)
{
	struct event_tally *tally = tally_of(event->pool);

	tally->count[event->kind]++;
	tally->failures += event->kind == EVENT_EXIT && event->failed;
}

const struct event_tally *events_tally(const struct event_tally *tally)
{
	return tally != NULL ? tally->next : recorder.tallies;
}

void event_record(const struct event *event)
{
	struct event *kept = &recorder.ring[recorder.newest % EVENTS_KEPT];

	*kept = *event;
	kept->number = ++recorder.newest;
	kept->wall = clock_wall();
	count(event);
}

void event_write(struct event event, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	say(&event, format, values);
	va_end(values);
	event_record(&event);
}

unsigned long long events_oldest(void)
{
	return recorder.newest < EVENTS_KEPT ? 1 : recorder.newest - EVENTS_KEPT + 1;
}

unsigned long long events_newest(void)
{
	return recorder.newest;
}

const struct event *events_get(unsigned long long number)
{
	if (number < events_oldest() || number > recorder.newest)
		bug("event %llu is not kept", number);
	return &recorder.ring[(number - 1) % EVENTS_KEPT];
}

/* --- from one master to the next --- */

#define TALLIES_MOST 100000

static const struct state_field fields[] = {
	{ STATE_FIELD(struct event, wall) },
	{ STATE_FIELD(struct event, pool) },
	{ STATE_FIELD(struct event, generation) },
	{ STATE_FIELD(struct event, slot) },
	{ STATE_FIELD(struct event, pid) },
	{ STATE_FIELD(struct event, signalled) },
	{ STATE_FIELD(struct event, failed) },
	{ STATE_FIELD(struct event, code) },
	{ STATE_FIELD(struct event, lasted) },
	{ STATE_FIELD(struct event, retry_in) },
	{ STATE_FIELD(struct event, text) },
	{ 0 },
};

/* By its name, for its number changes whenever there is a kind more.  One that is unknown becomes
 * TROUBLE. */
static enum event_kind pass_kind(struct state *state, enum event_kind kind)
{
	char name[EVENT_POOL_ROOM] = "";
	size_t length = 0;

	if (!state_is_read(state)) {
		length = strlen(event_names[kind]);
		memcpy(name, event_names[kind], length);
	}
	state_bytes(state, "kind", name, &length, sizeof(name) - 1);
	name[length] = '\0';
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (strcmp(event_names[i], name) == 0)
			return (enum event_kind)i;
	return EVENT_TROUBLE;
}

static void pass_ring(struct state *state)
{
	size_t count = state_count(state, "events",
	    recorder.newest < EVENTS_KEPT ? recorder.newest : EVENTS_KEPT, EVENTS_KEPT);

	recorder.newest = (unsigned long long)state_number(
	    state, "newest", (long long)recorder.newest, (long long)count, LLONG_MAX);
	for (unsigned long long n = recorder.newest - count; n < recorder.newest; n++) {
		struct event *event = &recorder.ring[n % EVENTS_KEPT];

		event->number = n + 1;
		event->kind = pass_kind(state, event->kind);
		state_fields(state, fields, event);
	}
	/* Those that come next must not look as if more had been kept. */
	if (state_is_read(state) && count < EVENTS_KEPT && count < recorder.newest)
		state_fail(state, "%zu events are kept of %llu", count, recorder.newest);
}

static void pass_tally(struct state *state, struct event_tally *tally)
{
	size_t count = 0;

	for (size_t i = 0; i < EVENT_KINDS; i++)
		count += tally->count[i] > 0;
	count = state_count(state, "kinds", count, EVENT_KINDS);
	tally->failures = (unsigned long long)state_number(
	    state, "failures", (long long)tally->failures, 0, LLONG_MAX);
	for (size_t i = 0; !state_is_read(state) && i < EVENT_KINDS; i++)
		if (tally->count[i] > 0) {
			pass_kind(state, (enum event_kind)i);
			state_number(state, "count", (long long)tally->count[i], 0, LLONG_MAX);
		}
	for (size_t i = 0; state_is_read(state) && i < count; i++) {
		enum event_kind kind = pass_kind(state, EVENT_TROUBLE);

		tally->count[kind] += (unsigned long long)state_number(
		    state, "count", 0, 0, LLONG_MAX);
	}
}

static void pass_tallies(struct state *state)
{
	char pool[EVENT_POOL_ROOM] = "";
	size_t count = 0, length = 0;

	for (const struct event_tally *tally = recorder.tallies; tally != NULL; tally = tally->next)
		count++;
	count = state_count(state, "tallies", count, TALLIES_MOST);
	for (struct event_tally *tally = recorder.tallies; !state_is_read(state) && tally != NULL;
	     tally = tally->next) {
		length = strlen(tally->pool);
		state_bytes(state, "pool", tally->pool, &length, sizeof(pool) - 1);
		pass_tally(state, tally);
	}
	for (size_t i = 0; state_is_read(state) && state_wrong(state) == NULL && i < count; i++) {
		state_bytes(state, "pool", pool, &length, sizeof(pool) - 1);
		pool[length] = '\0';
		pass_tally(state, tally_of(pool));
	}
}

void events_pass(struct state *state)
{
	state_part(state, "events");
	pass_ring(state);
	pass_tallies(state);
}
