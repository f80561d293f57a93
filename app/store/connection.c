/*
 * connection.c - one connection to PostgreSQL, with deadlines.
 *
 * libpq's simple calls wait as long as the server lets them.  Here its
 * asynchronous ones are used, with a poll(2) of our own between sending and
 * reading; the price is the same number of system calls.
 *
 * How a statement ended is told apart by what the caller may do next: ask again
 * because nothing happened, tell the client what it did wrong, or say that the
 * change may or may not have been made.
 */
#include "store/connection_wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/waiting.h"

bool wire_wait(PGconn *pg, short events, int64_t deadline)
{
	return waiting_for_fd(PQsocket(pg), events, deadline);
}

/* --- opening and closing --- */

static bool finish_connecting(PGconn *pg, int64_t deadline)
{
	/* PQconnectStart leaves the socket waiting to be written (libpq, 34.1). */
	PostgresPollingStatusType step = PGRES_POLLING_WRITING;

	while (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING) {
		if (!wire_wait(pg, step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return false;
		step = PQconnectPoll(pg);
	}
	return step == PGRES_POLLING_OK;
}

static void ignore_notice(void *unused, const PGresult *notice)
{
	(void)unused;
	log_debug("database: %s", PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

/* libpq ends its messages with a newline, some with several lines. */
static void log_failure(const char *what, const char *why)
{
	log_warn("database: %s: %.*s", what, (int)strcspn(why, "\n"), why);
}

/*
 * One plan per statement for good: our statements are written for their index,
 * and planning a page of a list anew each time cost as much as running it
 * (10,500 against 6,400 pages/s, since LIMIT $n makes a generic plan look dear).
 */
static bool prepare_session(
    struct connection *c, const struct connection_options *options, int64_t deadline)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
	    "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_min_messages = 'warning'; "
	    "SET plan_cache_mode = 'force_generic_plan'; "
	    "SET statement_timeout = %lld; SET idle_in_transaction_session_timeout = %lld",
	    options->statement_timeout_ms, options->statement_timeout_ms * 2);
	return connection_script(c, sql, deadline) == DONE;
}

struct connection *connection_open(const struct connection_options *options, int64_t deadline)
{
	const char *const names[] = { "dbname", "client_encoding", "fallback_application_name",
		NULL };
	const char *const values[] = { options->conninfo, "UTF8", options->application, NULL };
	struct connection *c;

	/* libpq would take it for "wherever the environment says". */
	if (*options->conninfo == '\0') {
		log_warn("database: none is configured");
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		die("out of memory");
	c->pg = PQconnectStartParams(names, values, 1);
	if (c->pg == NULL)
		die("out of memory");
	if (PQstatus(c->pg) == CONNECTION_BAD || !finish_connecting(c->pg, deadline)) {
		const char *why = PQerrorMessage(c->pg);

		log_failure("cannot connect", *why != '\0' ? why : "no answer in time");
		connection_close(&c);
		return NULL;
	}
	PQsetnonblocking(c->pg, 1);
	PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
	if (!prepare_session(c, options, deadline))
		connection_close(&c);
	return c;
}

void connection_close(struct connection **c)
{
	if (*c == NULL)
		return;
	PQfinish((*c)->pg);
	free((*c)->statement);
	free(*c);
	*c = NULL;
}

bool connection_is_stale(struct connection *c)
{
	struct pollfd socket = { .fd = PQsocket(c->pg), .events = POLLIN };

	/* An idle server says nothing but good-bye. */
	return poll(&socket, 1, 0) != 0;
}

/* --- asking and listening --- */

enum fate wire_flush(PGconn *pg, int64_t deadline)
{
	int left;

	while ((left = PQflush(pg)) == 1) {
		if (!wire_wait(pg, POLLIN | POLLOUT, deadline))
			return SILENT;
		if (!PQconsumeInput(pg))
			return LOST;
	}
	return left == 0 ? DONE : LOST;
}

PGresult *wire_next_result(PGconn *pg, int64_t deadline, enum fate *fate)
{
	*fate = DONE;
	while (PQisBusy(pg)) {
		if (!wire_wait(pg, POLLIN, deadline)) {
			*fate = SILENT;
			return NULL;
		}
		if (!PQconsumeInput(pg)) {
			*fate = LOST;
			return NULL;
		}
	}
	return PQgetResult(pg);
}

/* What an SQLSTATE means for the request (PostgreSQL manual, appendix A). */
static enum fate fate_of_state(const char *state)
{
	static const struct {
		const char *prefix;
		enum fate fate;
	} meanings[] = {
		{ "22", INVALID },        /* data exception */
		{ "23502", INVALID },     /* not null */
		{ "23", CONFLICT },       /* integrity constraint */
		{ "57014", TIMED_OUT },   /* cancelled, by statement_timeout */
		{ "57P01", RETRY },       /* terminated by an administrator, rolled back */
		{ "57P03", UNAVAILABLE }, /* starting up */
		{ "57P", LOST },          /* another backend crashed */
		{ "08", LOST },           /* connection exception */
		{ "53", UNAVAILABLE },    /* out of connections, memory, disk */
		{ "25006", UNAVAILABLE }, /* a read-only standby */
		{ "25P03", RETRY },       /* a transaction that rested too long, rolled back */
		{ "40", RETRY },          /* deadlock or serialization */
		{ "0A000", RETRY },       /* the plan's result type changed under a migration */
		{ "26000", RETRY },       /* the prepared statement is gone: DISCARD ALL */
	};

	for (size_t i = 0; i < COUNT(meanings); i++)
		if (strncmp(state, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
			return meanings[i].fate;
	return BROKEN;
}

enum fate wire_fate(const PGresult *result)
{
	const char *state;

	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		return DONE;
	default:
		state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		if (state == NULL)
			return LOST; /* libpq's own error, not the server's */
		return fate_of_state(state);
	}
}

/* Reads all results, keeps the last.  On LOST and SILENT there may be none. */
static enum fate listen_to_the_end(PGconn *pg, int64_t deadline, PGresult **last)
{
	enum fate fate, worst = DONE;
	PGresult *result;

	*last = NULL;
	while ((result = wire_next_result(pg, deadline, &fate)) != NULL) {
		if (worst == DONE)
			worst = wire_fate(result);
		PQclear(*last);
		*last = result;
	}
	return fate != DONE ? fate : worst;
}

/* --- prepared statements --- */

static bool find_statement(const struct connection *c, const char *sql, unsigned *number)
{
	for (*number = 0; *number < c->statements; ++*number)
		if (c->statement[*number] == sql)
			return true;
	return false;
}

static void remember_statement(struct connection *c, const char *sql)
{
	if (c->statements == c->room) {
		c->room = c->room * 2 + 32;
		c->statement = realloc(c->statement, c->room * sizeof(*c->statement));
		if (c->statement == NULL)
			die("out of memory");
	}
	c->statement[c->statements++] = sql;
}

enum fate wire_prepare(
    struct connection *c, const char *sql, char name[static STATEMENT_NAME], int64_t deadline)
{
	PGresult *result = NULL;
	unsigned number;
	enum fate fate;

	if (find_statement(c, sql, &number)) {
		snprintf(name, STATEMENT_NAME, "%u", number);
		return DONE;
	}
	snprintf(name, STATEMENT_NAME, "%u", number);
	if (!PQsendPrepare(c->pg, name, sql, 0, NULL))
		return LOST;
	fate = wire_flush(c->pg, deadline);
	if (fate == DONE)
		fate = listen_to_the_end(c->pg, deadline, &result);
	if (fate == DONE)
		remember_statement(c, sql);
	else if (fate == BROKEN)
		wire_log(sql, result);
	PQclear(result);
	return fate;
}

/* --- running --- */

/* Writes VALUE as PostgreSQL's text form; SCRATCH has room for a number. */
static const char *parameter(const struct value *value, char scratch[static 32])
{
	switch (value->kind) {
	case INTEGER:
		return text_from_integer(scratch, value->integer);
	case NUMBER:
		snprintf(scratch, 32, "%.17g", value->number);
		return scratch;
	case BOOLEAN:
		return value->boolean ? "t" : "f";
	case NOTHING:
		return NULL;
	case CURSOR:
		bug("a value of kind %d is no SQL parameter", value->kind);
	default:
		/* All other kinds are text, and PostgreSQL reads them as it would a literal. */
		return value->text;
	}
}

bool wire_send(struct connection *c, const char *name, const struct statement *statement)
{
	const char *text[VALUES_MOST] = { NULL };
	char scratch[VALUES_MOST][32];

	if (statement->count > VALUES_MOST)
		bug("%zu values for one statement", statement->count);
	for (size_t i = 0; i < statement->count; i++)
		text[i] = parameter(&statement->values[i], scratch[i]);
	return PQsendQueryPrepared(c->pg, name, (int)statement->count, text, NULL, NULL, 0);
}

void wire_tell(const char *sql, enum fate fate, int64_t began)
{
	static const char *const names[] = { [LOST] = "lost",
		[SILENT] = "silent",
		[TIMED_OUT] = "timed out",
		[UNAVAILABLE] = "unavailable",
		[CONFLICT] = "conflict",
		[INVALID] = "invalid",
		[RETRY] = "retry",
		[BROKEN] = "broken" };
	char operation[16];

	snprintf(operation, sizeof(operation), "%.*s", (int)strcspn(sql, " \n"), sql);
	span_tell(began, &(struct span_note){ .name = operation,
			     .kind = SPAN_CLIENT,
			     .failed = fate != DONE,
			     .attribute = { { "db.system.name", "postgresql", 0 },
				 { "db.operation.name", operation, 0 },
				 { fate != DONE ? "error.type" : "db.query.text",
				     fate != DONE ? names[fate] : sql, 0 },
				 { fate != DONE ? "db.query.text" : NULL, sql, 0 } } });
}

static struct rows *run(
    struct connection *c, struct arena *arena, const struct statement *statement, int64_t deadline)
{
	struct rows *rows = arena_alloc(arena, sizeof(*rows));
	PGresult *result = NULL;
	char name[STATEMENT_NAME];

	rows->fate = wire_prepare(c, statement->sql, name, deadline);
	/* A connection lost while preparing has not sent the statement: asking again is safe. */
	if (rows->fate == LOST)
		rows->fate = RETRY;
	if (rows->fate != DONE)
		return rows;
	rows->fate = wire_send(c, name, statement) ? wire_flush(c->pg, deadline) : LOST;
	if (rows->fate == DONE)
		rows->fate = listen_to_the_end(c->pg, deadline, &result);
	if (result != NULL)
		wire_keep(rows, statement->sql, result);
	return rows;
}

struct rows *connection_run(
    struct connection *c, struct arena *arena, const struct statement *statement, int64_t deadline)
{
	int64_t began = span_is_wanted() ? clock_now() : 0;
	struct rows *rows = run(c, arena, statement, deadline);

	if (span_is_wanted())
		wire_tell(statement->sql, rows->fate, began);
	return rows;
}

enum fate connection_script(struct connection *c, const char *sql, int64_t deadline)
{
	PGresult *result = NULL;
	enum fate fate = LOST;

	if (PQsendQuery(c->pg, sql))
		fate = wire_flush(c->pg, deadline);
	if (fate == DONE)
		fate = listen_to_the_end(c->pg, deadline, &result);
	if (fate != DONE && result != NULL)
		wire_log(sql, result);
	else if (fate != DONE)
		log_failure("a script failed", PQerrorMessage(c->pg));
	PQclear(result);
	return fate;
}
