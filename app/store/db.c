/*
 * db.c - a bounded pool of connections, and what to do when the server is gone.
 *
 * The idle connections are a stack: the one given back last is lent first, so
 * that a quiet process uses few and the server keeps their caches warm.  A
 * connection that rested is looked at before it is lent, because a write on a
 * dead one cannot be asked again: nobody would know whether it had happened.
 */
#include "store/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/breaker.h"

/*
 * An idle connection is asked whether it still lives when it rested longer than
 * this, and always before a write: a lost read is simply done again.
 */
#define TRUSTED_FOR SECOND_US

struct lent {
	struct connection *connection;
	struct lent *next;   /* in the list of idle ones */
	int64_t returned_at; /* clock_now; 0: look at it before use */
	int64_t asked_at;    /* clock_now: when its statement was sent */
};

struct db {
	const struct db_options *options;
	struct connection_options connect;
	pthread_mutex_t lock;
	pthread_cond_t given_back; /* waits by CLOCK_MONOTONIC */
	struct lent *idle;
	long long open; /* idle, lent and being opened */
	struct breaker breaker;
};

struct db *db_open(const struct db_options *options)
{
	struct db *db = calloc(1, sizeof(*db));
	pthread_condattr_t monotonic;

	if (db == NULL)
		die("out of memory");
	db->options = options;
	db->breaker = (struct breaker){ .name = "database", .retry_ms = options->retry_ms };
	db->connect = (struct connection_options){ .conninfo = options->conninfo,
		.application = options->application,
		/* sooner than our own patience: a slow statement is cancelled, and says so */
		.statement_timeout_ms = options->timeout_ms * 3 / 4 };
	pthread_mutex_init(&db->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&db->given_back, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return db;
}

static void discard(struct lent *lent)
{
	connection_close(&lent->connection);
	free(lent);
}

void db_close(struct db **db)
{
	if (*db == NULL)
		return;
	while ((*db)->idle != NULL) {
		struct lent *lent = (*db)->idle;

		(*db)->idle = lent->next;
		discard(lent);
	}
	pthread_cond_destroy(&(*db)->given_back);
	pthread_mutex_destroy(&(*db)->lock);
	free(*db);
	*db = NULL;
}

/* Whatever felled one connection may have felled the others.  Lock held. */
static void distrust_idle(struct db *db)
{
	for (struct lent *lent = db->idle; lent != NULL; lent = lent->next)
		lent->returned_at = 0;
}

/* --- lending --- */

enum offer { LEND_IDLE, OPEN_NEW, REFUSE };

static void wait_given_back(struct db *db, int64_t deadline)
{
	struct timespec until = { .tv_sec = deadline / SECOND_US,
		.tv_nsec = deadline % SECOND_US * 1000 };

	pthread_cond_timedwait(&db->given_back, &db->lock, &until);
}

/* Decides, with the lock held, what this caller gets; waits while all are lent. */
static enum offer choose(struct db *db, int64_t deadline)
{
	bool probe;

	if (!breaker_admits(&db->breaker))
		return REFUSE;
	probe = db->breaker.down;
	for (;;) {
		/* It may have gone down while we waited; then one prober is enough. */
		if (db->breaker.down && !probe)
			return REFUSE;
		if (db->idle != NULL)
			return LEND_IDLE;
		if (db->open < db->options->connections) {
			db->open++;
			return OPEN_NEW;
		}
		if (clock_now() >= deadline) {
			breaker_undecided(&db->breaker);
			return REFUSE;
		}
		wait_given_back(db, deadline);
	}
}

/* The server is gone or silent: whoever waits for a connection need not.  Lock held. */
static void note_failure(struct db *db)
{
	breaker_failed(&db->breaker);
	distrust_idle(db);
	pthread_cond_broadcast(&db->given_back);
}

static void close_place(struct db *db)
{
	pthread_mutex_lock(&db->lock);
	db->open--;
	pthread_cond_signal(&db->given_back);
	pthread_mutex_unlock(&db->lock);
}

static struct lent *open_new(struct db *db, int64_t deadline)
{
	struct connection *connection = connection_open(&db->connect, deadline);
	struct lent *lent;

	if (connection == NULL) {
		pthread_mutex_lock(&db->lock);
		note_failure(db);
		pthread_mutex_unlock(&db->lock);
		close_place(db);
		return NULL;
	}
	lent = calloc(1, sizeof(*lent));
	if (lent == NULL)
		die("out of memory");
	lent->connection = connection;
	return lent;
}

/* Whether an idle connection can be used unseen. */
static bool is_trusted(const struct lent *lent, bool reads)
{
	return reads && clock_now() - lent->returned_at < TRUSTED_FOR;
}

/* A connection, idle or new; NULL when there is none to be had by the deadline. */
static struct lent *borrow(struct db *db, bool reads, int64_t deadline)
{
	struct lent *lent = NULL;

	for (;;) {
		enum offer offer;

		pthread_mutex_lock(&db->lock);
		offer = choose(db, deadline);
		if (offer == LEND_IDLE) {
			lent = db->idle;
			db->idle = lent->next;
		}
		pthread_mutex_unlock(&db->lock);
		if (offer == REFUSE)
			return NULL;
		if (offer == OPEN_NEW)
			return open_new(db, deadline);
		if (is_trusted(lent, reads) || !connection_is_stale(lent->connection))
			return lent;
		discard(lent);
		pthread_mutex_lock(&db->lock);
		breaker_undecided(&db->breaker);
		pthread_mutex_unlock(&db->lock);
		close_place(db);
	}
}

/*
 * Whether a connection's fate says something of the server.  One that was silent
 * for less than its statement_timeout may have been waiting for a lock: most of
 * our patience went into waiting for the connection.
 */
static bool server_failed(const struct db *db, const struct lent *lent, enum fate fate)
{
	if (fate == SILENT)
		return clock_now() - lent->asked_at >= db->connect.statement_timeout_ms * 1000;
	return fate == UNAVAILABLE;
}

static void give_back(struct db *db, struct lent *lent, enum fate fate)
{
	bool failed = server_failed(db, lent, fate);
	/* After these the session is out of step with us, or its plans with the schema. */
	bool spoiled = fate == LOST || fate == SILENT || fate == UNAVAILABLE || fate == RETRY;

	if (spoiled)
		discard(lent);
	pthread_mutex_lock(&db->lock);
	if (failed)
		note_failure(db);
	else if (spoiled)
		breaker_undecided(&db->breaker);
	else
		breaker_succeeded(&db->breaker);
	if (spoiled) {
		distrust_idle(db);
		db->open--;
	} else {
		lent->returned_at = clock_now();
		lent->next = db->idle;
		db->idle = lent;
	}
	pthread_cond_signal(&db->given_back);
	pthread_mutex_unlock(&db->lock);
}

/* --- asking --- */

static struct rows *nobody_answered(struct arena *arena)
{
	struct rows *rows = arena_alloc(arena, sizeof(*rows));

	rows->fate = UNAVAILABLE;
	return rows;
}

struct rows *db_run(struct db *db, struct arena *arena, const struct statement *statement)
{
	int64_t deadline = clock_now() + db->options->timeout_ms * 1000;
	bool reads = strncasecmp(statement->sql, "SELECT", 6) == 0;

	for (int try = 1;; try++) {
		struct lent *lent = borrow(db, reads, deadline);
		struct rows *rows;
		bool again;

		if (lent == NULL)
			return nobody_answered(arena);
		lent->asked_at = clock_now();
		rows = connection_run(lent->connection, arena, statement, deadline);
		again = try == 1 && (rows->fate == RETRY || (rows->fate == LOST && reads));
		give_back(db, lent, rows->fate);
		if (!again)
			return rows;
		rows_free(rows);
	}
}
