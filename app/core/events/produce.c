/*
 * produce.c - events that were made up, published at a pace: the loop.
 *
 * Each event has its time, counted from the first one; those whose time has come go
 * out together.  What is not taken is sent again, as it is, until it is: an event
 * that was made up counts only once it was acknowledged.
 */
#include "core/events/produce.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/log.h"

#define WAIT_GROWS_TO 64
#define PROGRESS_US   (SECOND_US / 2)
/* Events that come within this go out together: a call for each would be all that we did. */
#define TOGETHER_US 2000

struct producing {
	const struct outlets *outlets;
	const struct produce_options *options;
	void *simulation;
	struct arena *arena; /* of a batch */
	int64_t began, shown_at, shown_count;
	long long taken, calls, retries;
	bool stops;
	uint64_t took[HISTOGRAM_BUCKETS]; /* of a call that succeeded */
};

/* --- stopping --- */

static sigset_t ends(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

void produce_block_signals(void)
{
	sigset_t set = ends();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Sleeps, unless told to stop.  Whether we are. */
static bool sleep_for(struct producing *p, int64_t us)
{
	const struct timespec time = { us / SECOND_US, us % SECOND_US * 1000 };
	sigset_t set = ends();

	if (!p->stops && sigtimedwait(&set, NULL, &time) > 0)
		p->stops = true;
	return p->stops;
}

/* --- the pace --- */

/* How many events are due, or 0 after waiting for some. */
static size_t events_due(struct producing *p)
{
	const struct produce_options *options = p->options;
	long long most = options->batch, due = most;
	double passed = (double)(clock_now() - p->began) / SECOND_US;

	if (options->count > 0 && options->count - p->taken < most)
		most = options->count - p->taken;
	if (options->rate > 0)
		due = (long long)(passed * options->rate) + 1 - p->taken;
	if (due <= 0) {
		int64_t next = p->began + (int64_t)((double)p->taken / options->rate * SECOND_US);
		int64_t wait = next - clock_now();

		(void)sleep_for(p, wait > TOGETHER_US ? wait : TOGETHER_US);
		return 0;
	}
	return (size_t)(due < most ? due : most);
}

/* --- a batch --- */

static struct list make_events(struct producing *p, size_t count)
{
	const struct event_kind *kind = p->options->kind;
	char *events = arena_alloc(p->arena, count * kind->takes->size);
	char *now = arena_alloc(p->arena, CLOCK_TEXT);

	clock_rfc3339(now, clock_wall());
	for (size_t i = 0; i < count; i++)
		kind->simulation->next(
		    p->simulation, p->arena, now, events + i * kind->takes->size);
	return (struct list){ .items = events, .count = count, .stride = kind->takes->size };
}

/* The same again until they are taken.  False: we are to stop, and they are not. */
static bool publish_all(struct producing *p, const struct list *events)
{
	const struct event_kind *kind = p->options->kind;
	struct broker_message *messages = events_write(p->arena, kind, events);
	long long wait_ms = p->options->retry_ms;

	for (;;) {
		int64_t began = clock_now();

		p->calls++;
		if (outlets_publish(p->outlets, kind, p->arena, messages, events->count)) {
			p->took[histogram_bucket((uint64_t)(clock_now() - began))]++;
			p->taken += (long long)events->count;
			return true;
		}
		p->retries++;
		if (sleep_for(p, wait_ms * 1000))
			return false;
		if (wait_ms < p->options->retry_ms * WAIT_GROWS_TO)
			wait_ms *= 2;
	}
}

/* --- what is said of it --- */

static void show_progress(struct producing *p)
{
	int64_t now = clock_now(), passed = now - p->shown_at;

	if (!p->options->shows_progress || passed < PROGRESS_US)
		return;
	fprintf(stderr, "\r%lld events, %.0f/s, %lld retries\033[K", p->taken,
	    (double)(p->taken - p->shown_count) * SECOND_US / (double)passed, p->retries);
	p->shown_at = now;
	p->shown_count = p->taken;
}

static void tell(struct producing *p)
{
	double seconds = (double)(clock_now() - p->began) / SECOND_US;
	struct buffer out;

	if (p->options->shows_progress)
		fputs("\r\033[K", stderr);
	arena_reset(p->arena);
	buffer_start(&out, p->arena, 1024);
	p->options->kind->simulation->tell(p->simulation, &out);
	printf("%lld events were taken in %.1f s, %.0f/s, in %lld calls (%lld retries)\n%.*s",
	    p->taken, seconds, seconds > 0 ? (double)p->taken / seconds : 0, p->calls, p->retries,
	    (int)out.length, out.data);
	if (p->taken > 0)
		printf("  %-16s p50 %.1f ms, p95 %.1f ms\n", "a call took",
		    histogram_quantile(p->took, 0.5) / 1000,
		    histogram_quantile(p->took, 0.95) / 1000);
	printf("  %-16s %12llu\n", "seed", p->options->seed);
	if (outlets_waiting(p->outlets) > 0)
		puts("  some wait in the spool until the broker is back");
}

bool produce_run(const struct outlets *outlets, const struct produce_options *options)
{
	struct arena *simulated = arena_new(0);
	struct producing p = { .outlets = outlets,
		.options = options,
		.simulation = options->kind->simulation->begin(simulated, options->seed),
		.arena = arena_new(1 << 20),
		.began = clock_now() };
	bool well = true;

	p.shown_at = p.began;
	while (!sleep_for(&p, 0) && (options->count == 0 || p.taken < options->count)) {
		size_t count = events_due(&p);
		struct list events;

		show_progress(&p);
		if (count == 0)
			continue;
		arena_reset(p.arena);
		events = make_events(&p, count);
		well = publish_all(&p, &events);
	}
	tell(&p);
	arena_free(&p.arena);
	arena_free(&simulated);
	return well;
}
