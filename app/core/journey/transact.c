/* transact.c - a request's transaction: its statements happen together or not at all. */
#include "core/journey/transact.h"

#include <string.h>

#include "base/clock.h"
#include "store/transaction.h"

void transact_begin(struct request *rq)
{
	rq->transaction = transaction_begin(rq->app->db, rq->arena);
}

struct rows *transact_ask(struct request *rq, const struct statement *statement)
{
	return transaction_ask(rq->transaction, statement);
}

struct rows *transact_add(struct request *rq, const struct statement *statement)
{
	struct rows *rows = transaction_add(rq->transaction, statement);

	request_hold(rq, rows);
	return rows;
}

void transact_send(struct request *rq)
{
	int64_t asked = clock_now();
	enum fate fate = transaction_send(rq->transaction);

	request_note(rq, fate, transaction_constraint(rq->transaction));
	rq->db_us += clock_now() - asked;
}

void transact_commit(struct request *rq)
{
	int64_t asked = clock_now();
	struct transaction *t = rq->transaction;

	rq->transaction = NULL;
	request_note(rq, transaction_commit(t), transaction_constraint(t));
	rq->db_us += clock_now() - asked;
}

void transact_roll_back(struct request *rq)
{
	int64_t asked = clock_now();

	transaction_roll_back(rq->transaction);
	rq->transaction = NULL;
	rq->db_us += clock_now() - asked;
}
