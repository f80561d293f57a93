/* transact.c - a request's transaction: its statements happen together or not at all. */
#include "core/journey/transact.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
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

/* --- many rows --- */

static bool note_copy(struct request *rq, int64_t asked, enum fate fate)
{
	rq->db_us += clock_now() - asked;
	request_note(rq, fate, transaction_constraint(rq->transaction));
	return rq->failure == DONE;
}

bool copy_begin_run(struct request *rq, const char *sql)
{
	if (rq->transaction == NULL)
		bug("rows are copied without a transaction");
	if (rq->failure != DONE)
		return false;
	return note_copy(rq, clock_now(), transaction_copy_begin(rq->transaction, sql));
}

bool copy_send(struct request *rq, const struct buffer *rows)
{
	if (rq->failure != DONE)
		return false;
	return note_copy(
	    rq, clock_now(), transaction_copy_send(rq->transaction, rows->data, rows->length));
}

bool copy_end(struct request *rq)
{
	if (rq->failure != DONE)
		return false;
	return note_copy(rq, clock_now(), transaction_copy_end(rq->transaction));
}

/* The text format (PostgreSQL manual, COPY): a tab between fields, a backslash before what counts.
 */
void copy_add(struct buffer *out, const char *text, bool first)
{
	if (!first)
		buffer_add_char(out, '\t');
	for (size_t plain; *text != '\0'; text++) {
		plain = strcspn(text, "\\\t\n\r");
		buffer_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		buffer_add_char(out, '\\');
		buffer_add_char(out, *text == '\t'   ? 't'
				     : *text == '\n' ? 'n'
				     : *text == '\r' ? 'r'
						     : '\\');
	}
}

void copy_end_row(struct buffer *out)
{
	buffer_add_char(out, '\n');
}

/* --- the end --- */

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
