/*
 * connection_copy.c - many rows in one statement: COPY … FROM STDIN.
 *
 * Rows by the hundred thousand take a fifth of the time that INSERT needs, since
 * nothing is parsed, planned or answered for each.  libpq buffers what it cannot
 * send: it is drained before more is given to it, so that memory stays flat when
 * the server is slower than we are.
 */
#include "store/connection_wire.h"

static enum fate read_end(struct connection *c, const char *sql, int64_t deadline)
{
	PGresult *result;
	enum fate fate, worst = DONE;

	while ((result = wire_next_result(c->pg, deadline, &fate)) != NULL) {
		if (worst == DONE)
			worst = wire_fate(result);
		if (worst == BROKEN)
			wire_log(sql, result);
		PQclear(result);
	}
	return fate != DONE ? fate : worst;
}

enum fate connection_copy_begin(struct connection *c, const char *sql, int64_t deadline)
{
	enum fate fate;
	PGresult *result;

	if (!PQsendQuery(c->pg, sql))
		return LOST;
	fate = wire_flush(c->pg, deadline);
	if (fate != DONE)
		return fate;
	result = wire_next_result(c->pg, deadline, &fate);
	if (fate != DONE)
		return fate;
	if (PQresultStatus(result) == PGRES_COPY_IN) {
		PQclear(result);
		return DONE;
	}
	fate = result != NULL ? wire_fate(result) : LOST;
	wire_log(sql, result);
	PQclear(result);
	if (fate != LOST)
		(void)read_end(c, sql, deadline);
	return fate == DONE ? BROKEN : fate; /* it was no COPY … FROM STDIN */
}

enum fate connection_copy_send(
    struct connection *c, const char *rows, size_t length, int64_t deadline)
{
	/* Non-blocking: 0 would mean that the buffer cannot grow, and it is empty. */
	if (PQputCopyData(c->pg, rows, (int)length) != 1)
		return LOST;
	return wire_flush(c->pg, deadline);
}

enum fate connection_copy_end(
    struct connection *c, const char *sql, const char *give_up, int64_t deadline)
{
	enum fate fate;

	if (PQputCopyEnd(c->pg, give_up) != 1)
		return LOST;
	fate = wire_flush(c->pg, deadline);
	return fate == DONE ? read_end(c, sql, deadline) : fate;
}
