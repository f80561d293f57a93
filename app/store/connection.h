/*
 * connection.h - one connection to PostgreSQL; the only door to libpq.
 *
 * Nothing here waits longer than the deadline it is given (a clock_now), even
 * when the server is stopped rather than dead: sockets are non-blocking and
 * every wait is a poll(2) with what is left.  A connection that missed a
 * deadline is out of step with the server and can only be closed.
 */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <stdint.h>

#include "base/arena.h"
#include "store/value.h"

struct connection;

/* How a statement ended. */
enum fate {
	DONE,
	LOST,        /* the connection broke; a write may or may not have happened */
	SILENT,      /* no answer by the deadline; the same holds */
	TIMED_OUT,   /* the server cancelled it: nothing happened */
	UNAVAILABLE, /* never sent: no connection to be had, or the server is not taking any */
	CONFLICT,    /* a unique, foreign key or check constraint said no */
	INVALID,     /* a value that the column's type does not take */
	RETRY,       /* nothing happened; asking again may work: deadlock, stale plan */
	BROKEN,      /* the statement itself is wrong: our error */
};

/* The rows of an answer, or why there is none. */
struct rows {
	enum fate fate;
	int count, columns;
	char constraint[64]; /* CONFLICT: whose */
	void *result;        /* libpq's; freed by rows_free */
};

/* A value as PostgreSQL writes it; NULL when it is SQL's NULL. */
const char *rows_text(const struct rows *, int row, int column);
long long rows_integer(const struct rows *, int row, int column); /* 0 for SQL's NULL */
int rows_length(const struct rows *, int row, int column);
const char *rows_column(const struct rows *, int column); /* the column's name */
void rows_free(struct rows *);

struct connection_options {
	const char *conninfo;    /* libpq's key=value text or URI; "": there is none */
	const char *application; /* shown in pg_stat_activity */
	long long statement_timeout_ms;
};

/* Connects and prepares the session (UTC, ISO dates).  NULL after logging why. */
struct connection *connection_open(const struct connection_options *, int64_t deadline);
void connection_close(struct connection **);

/* A statement and the values of its $1, $2, … */
struct statement {
	const char *sql; /* a literal: its address is its name, see connection_run */
	size_t count;
	const struct value *values;
};

/* STATEMENT(sql, value, …): the compiler refuses an SQL that is no literal. */
#define STATEMENT(sql, ...)                                                         \
	(&(struct statement){ "" sql "",                                            \
	    sizeof((struct value[]){ VALUES(__VA_ARGS__) }) / sizeof(struct value), \
	    (struct value[]){ VALUES(__VA_ARGS__) } })

/*
 * Runs a statement, prepared when this connection first sees its address.
 * Rows are the caller's, allocated in ARENA, freed by rows_free.
 */
struct rows *connection_run(
    struct connection *, struct arena *, const struct statement *, int64_t deadline);

/*
 * Statements that go out together and are one transaction: all happen or none.
 * Fill with pipeline_add; their rows are in the same order.
 */
#define PIPELINE_MOST 8
struct pipeline {
	size_t count;
	int64_t sent_at; /* clock_now, where span_is_wanted */
	struct statement statement[PIPELINE_MOST];
	struct rows rows[PIPELINE_MOST];
};
void pipeline_add(struct pipeline *, const struct statement *);
void pipeline_free(struct pipeline *); /* its rows; it is empty again */

/* Runs all in one round trip.  DONE, or the fate of the first that failed. */
enum fate connection_pipeline(struct connection *, struct pipeline *, int64_t deadline);

/*
 * The same in two halves, for who has something else to do while the server works: nothing else
 * may be asked in between.  After a half that is not DONE there is no second one.
 */
enum fate connection_pipeline_send(struct connection *, struct pipeline *, int64_t deadline);
enum fate connection_pipeline_receive(struct connection *, struct pipeline *, int64_t deadline);

/*
 * COPY … FROM STDIN: begin, send any number of whole or partial rows in COPY's
 * text format, end; nothing else may be asked in between.  With GIVE_UP, a
 * reason, the end undoes it, and its fate is not DONE.  A row that the table does
 * not take shows at the end at the latest, as INVALID or CONFLICT.
 */
enum fate connection_copy_begin(struct connection *, const char *sql, int64_t deadline);
enum fate connection_copy_send(
    struct connection *, const char *rows, size_t length, int64_t deadline);
enum fate connection_copy_end(
    struct connection *, const char *sql, const char *give_up, int64_t deadline);

/* Runs a script of several statements, unprepared.  DONE or why not, logged. */
enum fate connection_script(struct connection *, const char *sql, int64_t deadline);

/* For poll(2), on a connection that LISTENs. */
int connection_descriptor(const struct connection *);

/* Reads what has arrived: how many notifications.  LOST when the server has hung up. */
enum fate connection_hear(struct connection *, unsigned *heard);

/* Whether the server has hung up while the connection was idle. */
bool connection_is_stale(struct connection *);

#endif
