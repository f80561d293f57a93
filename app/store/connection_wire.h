/*
 * connection_wire.h - what the files of a connection share; private to connection*.c.
 *
 * It names libpq's types, so nobody else includes it.
 */
#ifndef STORE_CONNECTION_WIRE_H
#define STORE_CONNECTION_WIRE_H

#include <libpq-fe.h>

#include "store/connection.h"
#include "store/span.h"

#define STATEMENT_NAME 12 /* room for an unsigned number */

struct connection {
	PGconn *pg;
	/* statement[i], a literal's address, is prepared under the name "i" */
	const char **statement;
	unsigned statements, room;
};

/* Waits for EVENTS (poll(2)) on the socket.  False at the deadline. */
bool wire_wait(PGconn *, short events, int64_t deadline);

/* Sends what libpq has buffered; reads meanwhile, since the server may be writing too. */
enum fate wire_flush(PGconn *, int64_t deadline);

/* The next result, NULL behind the last one of a statement.  *FATE is DONE unless the wait failed.
 */
PGresult *wire_next_result(PGconn *, int64_t deadline, enum fate *fate);

/* Prepares the statement unless this connection has seen it; writes the name it has there. */
enum fate wire_prepare(
    struct connection *, const char *sql, char name[static STATEMENT_NAME], int64_t deadline);

/* Hands the statement to libpq, which buffers it.  False: the connection is gone. */
bool wire_send(struct connection *, const char *name, const struct statement *);

/* What a result means for the caller. */
enum fate wire_fate(const PGresult *);

/* Logs what the server said of a statement that failed. */
void wire_log(const char *sql, const PGresult *result);

/* Tells of a statement, where span_is_wanted. */
void wire_tell(const char *sql, enum fate, int64_t began);

/* Makes RESULT the rows', whose fate stands; logs what is our own error. */
void wire_keep(struct rows *, const char *sql, PGresult *result);

#endif
