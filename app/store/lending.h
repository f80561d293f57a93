/* lending.h - the pool of db.c from the inside: who may hold a connection; private to store/. */
#ifndef STORE_LENDING_H
#define STORE_LENDING_H

#include "store/breaker.h"
#include "store/db.h"
#include "base/waiting.h"

struct lent {
	struct connection *connection;
	struct lent *next;   /* in the list of idle ones */
	int64_t returned_at; /* clock_now; 0: look at it before use */
	int64_t asked_at;    /* clock_now: when its statement was sent */
};

struct db {
	const struct db_options *options;
	struct connection_options connect;
	struct waiting pool; /* for a connection that is given back */
	struct lent *idle;
	long long open; /* idle, lent and being opened */
	struct breaker breaker;
};

/*
 * A connection, idle or new; NULL when there is none to be had by the deadline.
 * The borrower sets asked_at before each round trip and owes a db_give_back.
 */
struct lent *db_borrow(struct db *, bool reads, int64_t deadline);

/* The server answers: said by whoever will not give back for a while yet. */
void db_answered(struct db *);

/* Takes LENT back, or closes it when its last FATE says that it is of no more use. */
void db_give_back(struct db *, struct lent *, enum fate);

#endif
