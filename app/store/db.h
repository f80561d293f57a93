/*
 * db.h - PostgreSQL for a whole process: a bounded pool of connections.
 *
 * Connections are opened when first needed and lent to one statement at a
 * time.  When the server is gone every caller is told at once, and one of them
 * at a time tries again, so that recovery needs nobody's help.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/connection.h"

struct db;

struct db_options {
	const char *conninfo;
	const char *application;
	long long connections; /* at most so many */
	long long timeout_ms;  /* of one statement, waiting for a connection included */
	long long retry_ms;    /* a server that failed is asked again after this */
};

/* Opens nothing yet.  OPTIONS stay the caller's and must outlive the pool. */
struct db *db_open(const struct db_options *);
void db_close(struct db **);

/*
 * Runs a statement and returns its rows or the reason why there are none:
 * never NULL, never later than the timeout.  A SELECT whose connection broke is
 * asked once more; a write is not, since it may have happened.
 */
struct rows *db_run(struct db *, struct arena *, const struct statement *);

#endif
