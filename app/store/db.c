/*
 * db.c - a bounded pool of connections, and what to do when the server is gone.
 *
 * The idle connections are a stack: the one given back last is lent first, so
 * that a quiet process uses few and the server keeps their caches warm.  A
 * connection that rested is looked at before it is lent, because a write on a
 * dead one cannot be asked again: nobody would know whether it had happened.
 */
#include "store/lending.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"

/*
 * An idle connection is asked whether it still lives when it rested longer than
 * this, and always before a write: a lost read is simply done again.
 */
#define TRUSTED_FOR SECOND_US

struct db *db_open(const struct db_options *options)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		die("out of memory");
	db->options = options;
	db->breaker = (struct breaker){ .name = "database", .retry_ms = options->retry_ms };
	db->connect = (struct connection_options){ .conninfo = options->conninfo,
		.application = options->application,
		/* sooner than our own patience: a slow statement is cancelled, and says so */
		.statement_timeout_ms = options->timeout_ms * 3 / 4 };
	waiting_init(&db->pool);
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
	waiting_destroy(&(*db)->pool);
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
		waiting_until(&db->pool, deadline);
	}
}

/* The server is gone or silent: whoever waits for a connection need not.  Lock held. */
static void note_failure(struct db *db)
{
	breaker_failed(&db->breaker);
	distrust_idle(db);
	pthread_cond_broadcast(&db->pool.changed);
}

static void close_place(struct db *db)
{
	pthread_mutex_lock(&db->pool.lock);
	db->open--;
	pthread_cond_signal(&db->pool.changed);
	pthread_mutex_unlock(&db->pool.lock);
}

static struct lent *open_new(struct db *db, int64_t deadline)
{
	struct connection *connection = connection_open(&db->connect, deadline);
	struct lent *lent;

	if (connection == NULL) {
		pthread_mutex_lock(&db->pool.lock);
		note_failure(db);
		pthread_mutex_unlock(&db->pool.lock);
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

struct lent *db_borrow(struct db *db, bool reads, int64_t deadline)
{
	struct lent *lent = NULL;

	for (;;) {
		enum offer offer;

		pthread_mutex_lock(&db->pool.lock);
		offer = choose(db, deadline);
		if (offer == LEND_IDLE) {
			lent = db->idle;
			db->idle = lent->next;
		}
		pthread_mutex_unlock(&db->pool.lock);
		if (offer == REFUSE)
			return NULL;
		if (offer == OPEN_NEW)
			return open_new(db, deadline);
		if (is_trusted(lent, reads) || !connection_is_stale(lent->connection))
			return lent;
		discard(lent);
		pthread_mutex_lock(&db->pool.lock);
		breaker_undecided(&db->breaker);
		pthread_mutex_unlock(&db->pool.lock);
		close_place(db);
	}
}

void db_answered(struct db *db)
{
	pthread_mutex_lock(&db->pool.lock);
	breaker_succeeded(&db->breaker);
	pthread_mutex_unlock(&db->pool.lock);
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

void db_give_back(struct db *db, struct lent *lent, enum fate fate)
{
	bool failed = server_failed(db, lent, fate);
	/* After these the session is out of step with us, or its plans with the schema. */
	bool spoiled = fate == LOST || fate == SILENT || fate == UNAVAILABLE || fate == RETRY;

	if (spoiled)
		discard(lent);
	pthread_mutex_lock(&db->pool.lock);
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
	pthread_cond_signal(&db->pool.changed);
	pthread_mutex_unlock(&db->pool.lock);
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
		struct lent *lent = db_borrow(db, reads, deadline);
		struct rows *rows;
		bool again;

		if (lent == NULL)
			return nobody_answered(arena);
		lent->asked_at = clock_now();
		rows = connection_run(lent->connection, arena, statement, deadline);
		again = try == 1 && (rows->fate == RETRY || (rows->fate == LOST && reads));
		db_give_back(db, lent, rows->fate);
		if (!again)
			return rows;
		rows_free(rows);
	}
}
