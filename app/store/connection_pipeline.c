/*
 * connection_pipeline.c - several statements in one round trip, and what others have to tell.
 *
 * Statements sent without a synchronization between them are one transaction
 * (PostgreSQL manual, 34.5): all of them happen or none, for the price of one
 * answer to wait for.  BEGIN and COMMIT need not be sent.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/connection_wire.h"

/* --- a pipeline --- */

/* Each is prepared before the pipeline begins: only what this connection never saw costs a trip. */
static enum fate prepare_all(struct connection *c, const struct pipeline *p, int64_t deadline)
{
	enum fate fate = DONE;

	for (size_t i = 0; i < p->count && fate == DONE; i++) {
		char name[STATEMENT_NAME];

		fate = wire_prepare(c, p->statement[i].sql, name, deadline);
	}
	/* Lost before anything was sent: asking again is safe. */
	return fate == LOST ? RETRY : fate;
}

static enum fate send_all(struct connection *c, const struct pipeline *p, int64_t deadline)
{
	for (size_t i = 0; i < p->count; i++) {
		char name[STATEMENT_NAME];
		enum fate fate = wire_prepare(c, p->statement[i].sql, name, deadline);

		if (fate != DONE || !wire_send(c, name, &p->statement[i]))
			return LOST;
	}
	return PQpipelineSync(c->pg) ? wire_flush(c->pg, deadline) : LOST;
}

/* Reads what one statement brought.  Behind one that failed the others are not run. */
static enum fate read_one(struct connection *c, struct pipeline *p, size_t which, int64_t deadline)
{
	struct rows *rows = &p->rows[which];
	PGresult *result = wire_next_result(c->pg, deadline, &rows->fate);

	if (result == NULL)
		return rows->fate != DONE ? rows->fate : LOST;
	if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		rows->fate = RETRY;
	else
		rows->fate = wire_fate(result);
	wire_keep(rows, p->statement[which].sql, result);
	/* The NULL that ends a statement's results. */
	PQclear(wire_next_result(c->pg, deadline, &(enum fate){ DONE }));
	return rows->fate;
}

static enum fate read_all(struct connection *c, struct pipeline *p, int64_t deadline)
{
	enum fate first = DONE, fate;
	PGresult *sync;

	for (size_t i = 0; i < p->count; i++) {
		fate = read_one(c, p, i, deadline);
		if (span_is_wanted())
			wire_tell(p->statement[i].sql, fate, p->sent_at);
		if (fate == LOST || fate == SILENT)
			return fate;
		if (first == DONE)
			first = fate;
	}
	/* The commit: it may still fail, and then nothing has happened. */
	sync = wire_next_result(c->pg, deadline, &fate);
	if (fate == DONE && (sync == NULL || PQresultStatus(sync) != PGRES_PIPELINE_SYNC))
		fate = sync != NULL ? wire_fate(sync) : LOST;
	PQclear(sync);
	return first != DONE ? first : fate;
}

enum fate connection_pipeline_send(struct connection *c, struct pipeline *p, int64_t deadline)
{
	enum fate fate;

	if (span_is_wanted())
		p->sent_at = clock_now();
	fate = prepare_all(c, p, deadline);
	memset(p->rows, 0, sizeof(p->rows));
	if (fate != DONE)
		return fate;
	return PQenterPipelineMode(c->pg) ? send_all(c, p, deadline) : LOST;
}

enum fate connection_pipeline_receive(struct connection *c, struct pipeline *p, int64_t deadline)
{
	enum fate fate = read_all(c, p, deadline);

	if (fate != LOST && fate != SILENT && !PQexitPipelineMode(c->pg))
		fate = LOST;
	return fate;
}

enum fate connection_pipeline(struct connection *c, struct pipeline *p, int64_t deadline)
{
	enum fate fate = connection_pipeline_send(c, p, deadline);

	return fate == DONE ? connection_pipeline_receive(c, p, deadline) : fate;
}

void pipeline_add(struct pipeline *p, const struct statement *statement)
{
	if (p->count == PIPELINE_MOST)
		bug("more than %d statements in one pipeline", PIPELINE_MOST);
	p->statement[p->count++] = *statement;
}

void pipeline_free(struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++)
		rows_free(&p->rows[i]);
	p->count = 0;
}

/* --- what others tell --- */

int connection_descriptor(const struct connection *c)
{
	return PQsocket(c->pg);
}

enum fate connection_hear(struct connection *c, unsigned *heard)
{
	PGnotify *notice;

	*heard = 0;
	if (!PQconsumeInput(c->pg))
		return LOST;
	while ((notice = PQnotifies(c->pg)) != NULL) {
		++*heard;
		PQfreemem(notice);
	}
	return PQstatus(c->pg) == CONNECTION_OK ? DONE : LOST;
}
