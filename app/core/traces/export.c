/* export.c - the process that sends spans on to a collector: the loop. */
#include "core/traces/export.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scoreboard.h"
#include "base/signal_fd.h"

#define WAIT_GROWS_TO 8

enum counter { SENT, REFUSED, GIVEN_UP, LOST_IN_RING, WAITING, COUNTERS };

static const char *const names[] = {
	[SENT] = "spans_sent",
	[REFUSED] = "spans_refused",
	[GIVEN_UP] = "spans_given_up",
	[LOST_IN_RING] = "spans_lost",
	[WAITING] = "=spans_waiting",
};

struct exporter {
	const struct export_options *options;
	struct arena *arena; /* of a batch */
	struct score *score;
	const void **records;
	size_t count;         /* records of the batch in hand */
	int64_t failing_from; /* clock_now; 0: the last batch was taken */
	long long wait_ms;    /* after the last failure; 0: there was none */
	int64_t rest_until;   /* clock_now: nothing is sent before */
	int64_t due;          /* clock_now: what there is leaves, full or not */
	int signals;
	bool stops;
};

enum export_fate export_judge(const struct collector_answer *answer)
{
	static const int retryable[] = { 0, 429, 502, 503, 504 };

	if (answer->status >= 200 && answer->status < 300)
		return EXPORT_TAKEN;
	for (size_t i = 0; i < COUNT(retryable); i++)
		if (answer->status == retryable[i])
			return EXPORT_LATER;
	return EXPORT_REFUSED;
}

/* --- counting --- */

static void count(struct exporter *e, enum counter counter, uint64_t more)
{
	score_add(&e->score->counter[counter], more);
}

static void count_ring(struct exporter *e)
{
	count(e, LOST_IN_RING, ring_lost(e->options->ring));
	atomic_store_explicit(
	    &e->score->counter[WAITING], ring_waiting(e->options->ring), memory_order_release);
}

/* --- a batch --- */

static void let_go(struct exporter *e, enum counter as)
{
	ring_let_go(e->options->ring, e->records, e->count);
	count(e, as, e->count);
	e->count = 0;
	e->failing_from = 0;
	e->wait_ms = 0;
}

/* Said once, when it begins: a collector that stays away is no news. */
static void complain(const struct collector_answer *answer)
{
	if (answer->status != 0)
		log_warn("the collector takes no spans: it answers %d", answer->status);
	else
		log_warn("the collector takes no spans: %s", answer->why);
}

static void wait_longer(struct exporter *e, const struct collector_answer *answer)
{
	int64_t now = clock_now();
	long long most = e->options->retry_ms * WAIT_GROWS_TO;

	if (e->failing_from == 0) {
		e->failing_from = now;
		complain(answer);
	}
	if (now - e->failing_from >= e->options->give_up_ms * 1000)
		let_go(e, GIVEN_UP);
	e->wait_ms = e->wait_ms == 0 ? e->options->retry_ms : e->wait_ms * 2;
	if (e->wait_ms > most)
		e->wait_ms = most;
	if (answer->retry_after_s > 0)
		e->wait_ms = answer->retry_after_s * 1000;
	if (e->wait_ms > e->options->give_up_ms)
		e->wait_ms = e->options->give_up_ms;
	e->rest_until = now + e->wait_ms * 1000;
}

static void send_batch(struct exporter *e)
{
	const struct export_options *options = e->options;
	struct collector_answer answer;
	struct buffer body;

	arena_reset(e->arena);
	buffer_start(&body, e->arena, 1024 + e->count * RING_RECORD);
	otlp_write(
	    &body, &options->resource, (const struct span_record *const *)e->records, e->count);
	answer = options->driver->post(options->collector, e->arena, body.data, body.length);
	switch (export_judge(&answer)) {
	case EXPORT_TAKEN:
		if (e->failing_from != 0)
			log_info("the collector takes spans again");
		let_go(e, SENT);
		break;
	case EXPORT_REFUSED:
		log_warn("the collector refuses %zu spans: it answers %d", e->count, answer.status);
		let_go(e, REFUSED);
		break;
	case EXPORT_LATER:
		wait_longer(e, &answer);
		break;
	}
}

/* Takes a batch in hand when it is full or due. */
static bool has_batch(struct exporter *e)
{
	size_t most = (size_t)e->options->batch_most;
	size_t waiting;

	if (e->count > 0)
		return true;
	waiting = ring_waiting(e->options->ring);
	if (waiting < most && clock_now() < e->due && !e->stops)
		return false;
	e->due = clock_now() + e->options->period_ms * 1000;
	/* Called for the places of dead writers, too. */
	e->count = ring_read(e->options->ring, e->records, most);
	return e->count > 0;
}

/* --- the loop --- */

static void rest(struct exporter *e, long long ms)
{
	struct pollfd signals = { .fd = e->signals, .events = POLLIN };

	if (!e->stops && poll(&signals, 1, (int)ms) > 0) {
		e->stops = true;
		e->options->stopping();
	}
}

static void work(struct exporter *e)
{
	long long look_ms = e->options->period_ms / 10 + 1;

	/* The one before us may not have left yet. */
	while (!e->stops && !ring_reads_alone(e->options->ring))
		rest(e, look_ms);
	while (!e->stops) {
		if (clock_now() >= e->rest_until && has_batch(e))
			send_batch(e);
		else
			rest(e, look_ms);
		count_ring(e);
	}
	/* A last time, as long as it is taken. */
	while (ring_reads_alone(e->options->ring) && has_batch(e)) {
		send_batch(e);
		if (e->count > 0)
			break;
	}
}

void export_idle(const struct export_options *options)
{
	struct exporter e = { .options = options,
		.signals = signal_fd_open((const int[]){ SIGTERM, SIGINT, 0 }) };

	options->ready();
	while (!e.stops)
		rest(&e, -1);
	close(e.signals);
}

void export_run(const struct export_options *options)
{
	struct scoreboard *board = scoreboard_attach(1);
	struct exporter e = { .options = options,
		.arena = arena_new(1 << 20),
		.score = &board->slot[0],
		.records = calloc((size_t)options->batch_most, sizeof(*e.records)),
		.signals = signal_fd_open((const int[]){ SIGTERM, SIGINT, 0 }) };

	if (e.records == NULL)
		die("out of memory");
	for (int i = 0; i < COUNTERS; i++)
		if (scoreboard_counter(board, names[i]) != i)
			bug("no room for the counter %s", names[i]);
	options->ready();
	work(&e);
	free(e.records);
	arena_free(&e.arena);
	close(e.signals);
	scoreboard_detach(&board);
}
