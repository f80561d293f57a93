/*
 * transaction.h - statements that happen together or not at all, on one connection.
 *
 * BEGIN goes with the first statement and COMMIT with the last ones when they are
 * known, in one pipeline each: a transaction of one statement is two round trips,
 * and one whose last statements wait for the commit saves another.
 *
 * Once a statement has failed everything is rolled back and the connection given
 * back; what is asked afterwards is not sent and has the same fate.  Until COMMIT
 * is sent a connection that breaks has changed nothing, so that LOST and SILENT
 * become RETRY and UNAVAILABLE here; of transaction_commit they mean what they say.
 *
 *     struct transaction *t = transaction_begin(db, arena);
 *     const struct rows *rows = transaction_ask(t, STATEMENT("UPDATE … RETURNING …", id));
 *     enum fate fate = transaction_commit(t);
 */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include "store/db.h"

struct transaction;

/* Sends and holds nothing yet.  It lives in ARENA, and so do its rows; those the caller frees. */
struct transaction *transaction_begin(struct db *, struct arena *);

/*
 * For a statement whose rows nobody reads, or that others read later: it goes out
 * with the next that is asked, or with the commit, before that.  Its rows are
 * where transaction_add says, once that has come.
 */
struct rows *transaction_add(struct transaction *, const struct statement *);

/* Runs what was added, and the statement.  Never NULL. */
struct rows *transaction_ask(struct transaction *, const struct statement *);

/* Runs what was added, if anything.  DONE, or why nothing of the transaction has happened. */
enum fate transaction_send(struct transaction *) MUST_CHECK;

/*
 * COPY … FROM STDIN as a part of it: begin, send, end, each with the patience of a
 * statement.  What is sent is in COPY's text format.  A
 * failure is the transaction's; after one nothing more is sent, and the end says it.
 */
enum fate transaction_copy_begin(struct transaction *, const char *sql);
enum fate transaction_copy_send(struct transaction *, const char *rows, size_t length);
enum fate transaction_copy_end(struct transaction *);

/*
 * Runs what was added and commits.  DONE: it has happened (or there was nothing
 * to do).  LOST, SILENT: it may have happened.  Anything else: it has not.
 */
enum fate transaction_commit(struct transaction *) MUST_CHECK;

/* The constraint that said no, of a transaction that ended with CONFLICT; "" otherwise. */
const char *transaction_constraint(const struct transaction *);

/* Undoes everything; harmless behind a commit or a failure. */
void transaction_roll_back(struct transaction *);

#endif
