/*
 * consume.c - a process that applies events: the loop.
 *
 * Two batches at most are under way: one that the database works on, and one that
 * is being read and checked meanwhile.  They are finished in the order in which
 * they were read.
 */
#include "core/events/consume.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signal_fd.h"
#include "base/text.h"
#include "core/answer/json.h"
#include "core/events/carried.h"
#include "core/events/tally.h"

/* How long a read waits for a first message when nothing is under way. */
#define IDLE_MS 200

struct consumer {
	struct application *app;
	const struct consume_options *options;
	struct broker_reader *reader;
	struct broker *dead;
	struct sink sink;
	struct tally tally;
	struct batch batch[2];
	struct batch *under_way; /* sent, not finished; NULL: none */
	int signals;             /* SIGTERM and SIGINT, as a descriptor */
	bool stops;
};

/* --- stopping --- */

/* Waits so long for the order to stop; whether it has come. */
static bool is_told_to_stop(struct consumer *c, long long ms)
{
	struct pollfd signals = { .fd = c->signals, .events = POLLIN };

	if (!c->stops && poll(&signals, 1, (int)ms) > 0) {
		c->stops = true;
		c->options->stopping();
	}
	return c->stops;
}

/* Between two tries of a batch: we still are who holds its partitions. */
static bool pause_between(void *context, long long ms)
{
	struct consumer *c = context;

	broker_hold(c->reader);
	return !is_told_to_stop(c, ms);
}

/* --- one batch --- */

static struct batch *free_batch(struct consumer *c)
{
	return c->under_way == &c->batch[0] ? &c->batch[1] : &c->batch[0];
}

/* Adds what another read brings to what the batch has. */
static void join_reads(struct batch *batch, const struct broker_batch *more)
{
	struct broker_batch *read = &batch->read;
	size_t count = read->count + more->count;

	if (more->count == 0)
		return;
	read->message = arena_grow(batch->arena, read->message,
	    read->count * sizeof(*read->message), count * sizeof(*read->message));
	memcpy(read->message + read->count, more->message, more->count * sizeof(*more->message));
	read->count = count;
}

/* How long a read may wait: for a first message as long as there is nothing else to do. */
static long long patience(int64_t full_by)
{
	return full_by != 0 ? clock_ms_until(full_by) : IDLE_MS;
}

/*
 * Reads until the batch is full or its first message has waited long enough.  With
 * a batch under way the time runs from the beginning, for that one wants to be
 * finished: what it has written is not acknowledged, and its age not known, before.
 */
static bool fill_batch(struct consumer *c, struct batch *batch)
{
	const struct consume_options *options = c->options;
	size_t most = (size_t)options->batch_most;
	int64_t linger_us = options->linger_ms * 1000;
	int64_t full_by = c->under_way != NULL ? clock_now() + linger_us : 0;

	do {
		struct broker_batch more;

		if (!broker_read(c->reader, batch->arena, &more, most - batch->read.count,
			patience(full_by)))
			return batch->read.count > 0;
		join_reads(batch, &more);
		if (full_by == 0)
			full_by = clock_now() + linger_us;
	} while (batch->read.count > 0 && batch->read.count < most && clock_now() < full_by &&
		 !batch_is_careful(batch));
	return true;
}

/* One line of JSON, whatever bytes the message has. */
static void publish_dead(struct consumer *c, struct batch *batch)
{
	struct broker_message *letters = arena_alloc(
	    batch->arena, batch->dead_count * sizeof(*letters) + 1);

	for (size_t i = 0; i < batch->dead_count; i++) {
		const struct dead_letter *dead = &batch->dead[i];
		const struct broker_delivery *message = dead->message;
		char *clean = arena_alloc(batch->arena, message->length * TEXT_CLEAN_GROWTH + 1);
		struct buffer out;

		buffer_start(&out, batch->arena, 256);
		json_open(&out, '{');
		json_key_text(&out, "reason", dead->reason);
		json_key(&out, "partition");
		json_number(&out, message->partition);
		json_key_text(&out, "position", message->position);
		json_key(&out, "body");
		json_bytes(&out, clean, text_clean(clean, message->body, message->length));
		json_close(&out, '}');
		letters[i] = (struct broker_message){ "", out.data, out.length };
		log_warn("a dead letter: %s (partition %d, position %s)", dead->reason,
		    message->partition, message->position);
	}
	/* The table has them already; the stream is for whoever wants to hear of them at once. */
	if (!broker_publish(c->dead, batch->arena, letters, batch->dead_count))
		log_warn("%zu dead letters are in the database alone: the broker took none",
		    batch->dead_count);
}

/* Sees what is under way through and acknowledges it.  False: we are to stop, and it is not. */
static bool finish(struct consumer *c)
{
	struct batch *batch = c->under_way;
	long long fresh = 0;
	int64_t now;

	if (batch == NULL)
		return true;
	c->under_way = NULL;
	carried_resume(batch);
	if (!sink_finish(&c->sink, batch, &fresh)) {
		carried_rest();
		return false;
	}
	carried_end(batch, c->options->kind->name);
	if (batch->dead_count > 0)
		publish_dead(c, batch);
	now = clock_now();
	scoreboard_end(c->tally.score, batch->rq->started, now, 0, false);
	tally_add(&c->tally, batch, fresh);
	if (!broker_acknowledge(c->reader, &batch->read))
		log_info("%zu messages could not be acknowledged: they will come again",
		    batch->read.count);
	return true;
}

static void send_batch(struct consumer *c, struct batch *batch)
{
	batch->rq->started = clock_now();
	scoreboard_begin(c->tally.score, batch->rq->started, 0);
	scoreboard_name(c->tally.score, "EVENTS", c->options->kind->name);
	carried_begin(batch);
	sink_send(&c->sink, batch);
	carried_rest();
	c->under_way = batch;
}

/* --- the loop --- */

/* One batch further.  False: nothing was there to be read. */
static bool step(struct consumer *c)
{
	struct batch *batch = free_batch(c);
	bool read;

	batch_begin(batch, c->app);
	read = fill_batch(c, batch);
	if (batch->read.count > 0)
		batch_check(batch, c->options);
	if (!finish(c))
		return false;
	tally_write(&c->tally, &c->sink, c->reader);
	if (batch->read.count == 0) {
		if (!read)
			(void)is_told_to_stop(c, c->options->retry_ms);
		return false;
	}
	send_batch(c, batch);
	return !batch_is_careful(batch) || finish(c);
}

static bool is_drained(struct consumer *c)
{
	struct broker_lag lag[BROKER_PARTITIONS_MOST];
	size_t count = broker_lags(c->reader, lag);

	for (size_t i = 0; i < count; i++)
		if (lag[i].unread > 0)
			return false;
	return count > 0;
}

static void loop(struct consumer *c)
{
	bool busy = true;

	while (!is_told_to_stop(c, 0)) {
		busy = step(c);
		if (c->options->once && !busy && c->under_way == NULL && is_drained(c))
			break;
	}
	(void)finish(c);
}

/* Where to go on, should the broker have forgotten us (broker.h). */
static const char *last_position(void *context, struct arena *arena, int partition)
{
	struct consumer *c = context;
	struct rows *rows = db_run(c->app->db, arena,
	    STATEMENT("SELECT position FROM event_offset WHERE stream = $1 AND partition = $2",
		c->options->kind->name, partition));
	const char *position = NULL;

	if (rows->fate == DONE && rows->count > 0)
		position = arena_copy(
		    arena, rows_text(rows, 0, 0), (size_t)rows_length(rows, 0, 0));
	rows_free(rows);
	return position;
}

bool consume_run(struct application *app, const struct consume_options *options)
{
	struct scoreboard *board = scoreboard_attach(1);
	struct consumer c = { .app = app,
		.options = options,
		.signals = signal_fd_open((const int[]){ SIGTERM, SIGINT, 0 }) };
	const struct broker_group group = { .name = options->group,
		.member = options->member,
		.lease_ms = options->lease_ms,
		.keep_ms = options->keep_ms,
		.from_ms = options->from_ms,
		.batch_most = options->batch_most,
		.done = options->from_ms == 0 ? last_position : NULL,
		.context = &c };

	tally_init(&c.tally, board, options);
	c.sink = (struct sink){ .options = options, .pause = pause_between, .context = &c };
	batch_init(&c.batch[0]);
	batch_init(&c.batch[1]);
	c.dead = outlets_of_dead(app->outlets, options->kind);
	c.reader = broker_join(outlets_of(app->outlets, options->kind), &group);
	options->ready();
	loop(&c);
	broker_leave(&c.reader);
	sink_close(&c.sink);
	batch_free(&c.batch[0]);
	batch_free(&c.batch[1]);
	close(c.signals);
	scoreboard_detach(&board);
	return true;
}
