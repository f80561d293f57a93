/*
 * minimal.h - the least that answers what make bench measures, written by hand.
 *
 * It has the libraries and the loop of ostler-app, the same statements and the
 * same answers, and nothing else: no table of routes, no checks but of a
 * title's length, no deadlines, no second try, no log, no request ids.  What
 * ostler-app costs more than this is what its framework costs.
 */
#ifndef BENCH_MINIMAL_H
#define BENCH_MINIMAL_H

#include <fcgiapp.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include "base/arena.h"

/* A connection to PostgreSQL and one to Redis, lent to one request at a time. */
struct lane {
	PGconn *pg;
	redisContext *redis;
	struct lane *next;
};

/* The statements, prepared under these names when a connection is opened. */
#define READ_TASK   "read"
#define LIST_TASKS  "list"
#define INSERT_TASK "insert"

struct store;

/* Opens all connections at once and finds the demo user; ends the program when that fails. */
struct store *store_open(const char *conninfo, const char *redis_socket, int connections);
struct lane *store_take(struct store *); /* waits while all are lent */
void store_give_back(struct store *, struct lane *);
const char *store_user(const struct store *); /* the demo user's id */

/* Answers one request; ARENA is reset afterwards. */
void minimal_answer(struct store *, FCGX_Request *, struct arena *);

#endif
