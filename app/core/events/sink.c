/*
 * sink.c - where a batch goes: the database, one transaction each.
 *
 * The kind's one statement, how far the partitions are, and what is a dead letter
 * go out together and are committed together.  What can fail decides what happens:
 *
 *   the server or the connection   the same again, later each time (08, 40, 53, 57)
 *   an event's value               the batch is halved until the one is found (22, 23)
 *   our own statement              the same again, with an error in the log
 *
 * https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
#include "core/events/sink.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/array.h"

#define WAIT_GROWS_TO 8

static int64_t deadline_of(const struct sink *sink)
{
	return clock_now() + sink->options->timeout_ms * 1000;
}

void sink_close(struct sink *sink)
{
	pipeline_free(&sink->pipeline);
	connection_close(&sink->connection);
}

static bool connect_now(struct sink *sink)
{
	const struct connection_options options = { .conninfo = sink->options->conninfo,
		.application = sink->options->application,
		.statement_timeout_ms = sink->options->timeout_ms / 4 * 3 };

	if (sink->connection == NULL)
		sink->connection = connection_open(&options, deadline_of(sink));
	return sink->connection != NULL;
}

/* --- the statements beside the kind's own --- */

/* The last position of each partition of the batch. */
static struct statement offsets_of(const struct sink *sink, struct batch *batch)
{
	struct value *values = arena_alloc(batch->arena, 3 * sizeof(*values));
	const char *last[BROKER_PARTITIONS_MOST] = { NULL };
	struct array partitions, positions;

	array_start(&partitions, batch->arena);
	array_start(&positions, batch->arena);
	for (size_t i = 0; i < batch->read.count; i++)
		last[batch->read.message[i].partition] = batch->read.message[i].position;
	for (int p = 0; p < BROKER_PARTITIONS_MOST; p++) {
		if (last[p] == NULL)
			continue;
		array_add_integer(&partitions, p);
		array_add_text(&positions, last[p]);
	}
	values[0] = value_text(sink->options->kind->name);
	values[1] = array_end(&partitions);
	values[2] = array_end(&positions);
	return (struct statement){ "INSERT INTO event_offset (stream, partition, position)"
				   " SELECT $1, * FROM unnest($2::integer[], $3::text[])"
				   " ON CONFLICT (stream, partition)"
				   " DO UPDATE SET position = excluded.position, at = now()",
		3, values };
}

static struct statement dead_of(const struct sink *sink, struct batch *batch)
{
	struct value *values = arena_alloc(batch->arena, 5 * sizeof(*values));
	struct array partitions, positions, reasons, bodies;

	array_start(&partitions, batch->arena);
	array_start(&positions, batch->arena);
	array_start(&reasons, batch->arena);
	array_start(&bodies, batch->arena);
	for (size_t i = 0; i < batch->dead_count; i++) {
		const struct broker_delivery *message = batch->dead[i].message;

		array_add_integer(&partitions, message->partition);
		array_add_text(&positions, message->position);
		array_add_text(&reasons, batch->dead[i].reason);
		array_add_text(&bodies, hex_write(batch->arena, message->body, message->length));
	}
	values[0] = value_text(sink->options->kind->name);
	values[1] = array_end(&partitions);
	values[2] = array_end(&positions);
	values[3] = array_end(&reasons);
	values[4] = array_end(&bodies);
	return (struct statement){
		"INSERT INTO event_dead (stream, partition, position, reason, body)"
		" SELECT $1, partition, position, reason, decode(body, 'hex')"
		" FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[])"
		" AS letter (partition, position, reason, body) ON CONFLICT DO NOTHING",
		5, values
	};
}

/* --- one round trip --- */

static void fill(struct sink *sink, struct batch *batch, bool applies)
{
	struct statement offsets = offsets_of(sink, batch), dead;

	pipeline_free(&sink->pipeline);
	if (applies)
		pipeline_add(&sink->pipeline, &sink->apply);
	pipeline_add(&sink->pipeline, &offsets);
	if (batch->dead_count == 0)
		return;
	dead = dead_of(sink, batch);
	pipeline_add(&sink->pipeline, &dead);
}

static struct statement statement_for(
    const struct sink *sink, struct batch *batch, size_t from, size_t count)
{
	return sink->options->kind->apply(batch->rq,
	    &(struct event_batch){ batch->received + from, count, sink->options->shard });
}

void sink_send(struct sink *sink, struct batch *batch)
{
	if (batch->count > 0)
		sink->apply = statement_for(sink, batch, 0, batch->count);
	fill(sink, batch, batch->count > 0);
	sink->sent = connect_now(sink) && connection_pipeline_send(sink->connection,
					      &sink->pipeline, deadline_of(sink)) == DONE;
	if (!sink->sent)
		connection_close(&sink->connection);
}

static bool is_of_an_event(enum fate fate)
{
	return fate == CONFLICT || fate == INVALID;
}

/* What a round trip came to.  A session that is in doubt is given up. */
static enum fate note_fate(struct sink *sink, enum fate fate)
{
	if (fate == DONE)
		sink->wait_ms = 0;
	else if (!is_of_an_event(fate))
		connection_close(&sink->connection);
	return fate;
}

static enum fate ask(struct sink *sink)
{
	if (!connect_now(sink))
		return UNAVAILABLE;
	return note_fate(
	    sink, connection_pipeline(sink->connection, &sink->pipeline, deadline_of(sink)));
}

/* Waits before the next try.  False: there is to be none. */
static bool wait_longer(struct sink *sink)
{
	long long most = sink->options->retry_ms * WAIT_GROWS_TO;

	sink->wait_ms = sink->wait_ms == 0 ? sink->options->retry_ms : sink->wait_ms * 2;
	if (sink->wait_ms > most)
		sink->wait_ms = most;
	return sink->pause(sink->context, sink->wait_ms);
}

/* Runs the pipeline until it is done or an event is to blame.  False: we are to stop. */
static bool ask_until_decided(struct sink *sink, enum fate *fate)
{
	while ((*fate = ask(sink)) != DONE && !is_of_an_event(*fate))
		if (!wait_longer(sink))
			return false;
	return true;
}

static long long fresh_of(const struct sink *sink)
{
	return rows_integer(&sink->pipeline.rows[0], 0, 0);
}

/* --- taking a batch apart --- */

static const char *why(struct batch *batch, const struct rows *rows)
{
	if (rows->fate == CONFLICT)
		return arena_print(
		    batch->arena, "the database refused it: constraint %s", rows->constraint);
	return "the database does not take one of its values";
}

/*
 * Applies COUNT events from FROM on, in halves if one of them is refused, until
 * that is alone and becomes a dead letter.  Parts are transactions of their own;
 * how far the partitions are is written behind all of them.
 */
static bool apply_part(
    struct sink *sink, struct batch *batch, size_t from, size_t count, long long *fresh)
{
	struct statement part = statement_for(sink, batch, from, count);
	enum fate fate;

	pipeline_free(&sink->pipeline);
	pipeline_add(&sink->pipeline, &part);
	if (!ask_until_decided(sink, &fate))
		return false;
	if (fate == DONE) {
		*fresh += fresh_of(sink);
		return true;
	}
	if (count == 1) {
		batch_bury(batch, batch->message[from], why(batch, &sink->pipeline.rows[0]));
		return true;
	}
	return apply_part(sink, batch, from, count / 2, fresh) &&
	       apply_part(sink, batch, from + count / 2, count - count / 2, fresh);
}

/* The rest of the batch's transaction, which no event can spoil. */
static bool write_ends(struct sink *sink, struct batch *batch)
{
	enum fate fate;

	do {
		fill(sink, batch, false);
		if (!ask_until_decided(sink, &fate))
			return false;
		if (fate != DONE)
			log_error("what is known of a batch is not taken by the database");
	} while (fate != DONE && wait_longer(sink));
	return fate == DONE;
}

static bool take_apart(struct sink *sink, struct batch *batch, long long *fresh)
{
	*fresh = 0;
	return (batch->count == 0 || apply_part(sink, batch, 0, batch->count, fresh)) &&
	       write_ends(sink, batch);
}

/* --- seeing it through --- */

bool sink_finish(struct sink *sink, struct batch *batch, long long *fresh)
{
	enum fate fate = UNAVAILABLE;

	if (sink->sent)
		fate = note_fate(sink, connection_pipeline_receive(
					   sink->connection, &sink->pipeline, deadline_of(sink)));
	sink->sent = false;
	while (fate != DONE && !is_of_an_event(fate)) {
		if (!wait_longer(sink))
			return false;
		fill(sink, batch, batch->count > 0);
		fate = ask(sink);
	}
	if (fate != DONE)
		return take_apart(sink, batch, fresh);
	*fresh = batch->count > 0 ? fresh_of(sink) : 0;
	return true;
}

void sink_note(struct sink *sink, const struct statement *statement)
{
	pipeline_free(&sink->pipeline);
	pipeline_add(&sink->pipeline, statement);
	(void)ask(sink);
}
