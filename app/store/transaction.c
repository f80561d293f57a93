/* transaction.c - statements that happen together or not at all, on one connection. */
#include "store/transaction.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/lending.h"

struct transaction {
	struct db *db;
	struct arena *arena;
	struct lent *lent;                /* NULL: not begun, or over */
	enum fate fate;                   /* DONE until a statement fails */
	bool over;                        /* committed, rolled back, failed */
	char constraint[64];              /* CONFLICT: whose */
	struct rows *begun;               /* of BEGIN: nobody reads them */
	struct pipeline waiting;          /* what goes out next; at first BEGIN */
	struct rows *rows[PIPELINE_MOST]; /* where its rows are expected */
	const char *copying;              /* the COPY that is under way */
};

static const struct statement begin_it = { .sql = "BEGIN" };
static const struct statement commit_it = { .sql = "COMMIT" };
static const struct statement roll_it_back = { .sql = "ROLLBACK" };

struct transaction *transaction_begin(struct db *db, struct arena *arena)
{
	struct transaction *t = arena_alloc(arena, sizeof(*t));

	t->db = db;
	t->arena = arena;
	t->fate = DONE;
	t->begun = transaction_add(t, &begin_it);
	return t;
}

static int64_t patience_of(const struct transaction *t)
{
	return clock_now() + t->db->options->timeout_ms * 1000;
}

static void give_back(struct transaction *t, enum fate fate)
{
	rows_free(t->begun);
	db_give_back(t->db, t->lent, fate);
	t->lent = NULL;
	t->over = true;
}

/* Whether the session, and in it the transaction, outlives such a failure. */
static bool is_left_open(enum fate fate)
{
	return fate == CONFLICT || fate == INVALID || fate == TIMED_OUT || fate == BROKEN;
}

void transaction_roll_back(struct transaction *t)
{
	struct rows *rows;

	t->over = true;
	if (t->lent == NULL)
		return;
	t->lent->asked_at = clock_now();
	if (t->copying != NULL)
		(void)connection_copy_end(
		    t->lent->connection, t->copying, "rolled back", patience_of(t));
	t->copying = NULL;
	rows = connection_run(t->lent->connection, t->arena, &roll_it_back, patience_of(t));
	rows_free(rows);
	give_back(t, rows->fate);
}

/* --- one round trip --- */

static enum fate travel(struct transaction *t)
{
	int64_t deadline = patience_of(t);
	bool first = t->lent == NULL;
	enum fate fate;

	if (first)
		t->lent = db_borrow(t->db, false, deadline);
	if (t->lent == NULL) {
		t->over = true;
		return UNAVAILABLE;
	}
	t->lent->asked_at = clock_now();
	fate = connection_pipeline(t->lent->connection, &t->waiting, deadline);
	if (is_left_open(fate))
		transaction_roll_back(t);
	else if (fate != DONE)
		give_back(t, fate);
	else if (first)
		db_answered(t->db);
	return fate;
}

/* A failure is everybody's: nothing of the transaction has happened. */
static void spread_failure(struct transaction *t)
{
	for (size_t i = 0; i < t->waiting.count; i++)
		if (t->waiting.rows[i].fate == CONFLICT)
			memcpy(t->constraint, t->waiting.rows[i].constraint, sizeof(t->constraint));
	for (size_t i = 0; i < t->waiting.count; i++) {
		t->rows[i]->fate = t->fate;
		memcpy(t->rows[i]->constraint, t->constraint, sizeof(t->constraint));
	}
	pipeline_free(&t->waiting);
}

static void deliver(struct transaction *t)
{
	for (size_t i = 0; i < t->waiting.count; i++)
		*t->rows[i] = t->waiting.rows[i];
	t->waiting.count = 0;
}

/* What a failure means before COMMIT: whatever became of the connection, nothing happened. */
static enum fate as_nothing_happened(enum fate fate)
{
	if (fate == LOST)
		return RETRY;
	return fate == SILENT ? UNAVAILABLE : fate;
}

static void send_waiting(struct transaction *t, bool commits)
{
	enum fate fate = travel(t);

	t->fate = commits ? fate : as_nothing_happened(fate);
	if (fate == DONE)
		deliver(t);
	else
		spread_failure(t);
}

/* --- asking --- */

/* The values stand where the caller made them: they must outlive that place. */
static struct statement keep(struct arena *arena, const struct statement *statement)
{
	size_t size = statement->count * sizeof(struct value);
	struct value *values = arena_alloc(arena, size);

	if (size > 0)
		memcpy(values, statement->values, size);
	return (struct statement){ statement->sql, statement->count, values };
}

struct rows *transaction_add(struct transaction *t, const struct statement *statement)
{
	struct rows *rows = arena_alloc(t->arena, sizeof(*rows));
	struct statement kept = keep(t->arena, statement);

	/* One place is COMMIT's. */
	if (!t->over && t->waiting.count == PIPELINE_MOST - 1)
		send_waiting(t, false);
	if (t->over) {
		rows->fate = t->fate;
		return rows;
	}
	t->rows[t->waiting.count] = rows;
	pipeline_add(&t->waiting, &kept);
	return rows;
}

struct rows *transaction_ask(struct transaction *t, const struct statement *statement)
{
	struct rows *rows = transaction_add(t, statement);

	if (!t->over)
		send_waiting(t, false);
	return rows;
}

enum fate transaction_send(struct transaction *t)
{
	if (!t->over && t->waiting.count > 0)
		send_waiting(t, false);
	return t->fate;
}

/* --- many rows --- */

/* A failure leaves the session where nothing but its end can be asked of it. */
static enum fate end_of_copy(struct transaction *t, enum fate fate)
{
	if (fate == DONE)
		return DONE;
	t->copying = NULL;
	t->fate = as_nothing_happened(fate);
	if (is_left_open(fate))
		transaction_roll_back(t);
	else
		give_back(t, fate);
	return t->fate;
}

enum fate transaction_copy_begin(struct transaction *t, const char *sql)
{
	if (transaction_send(t) != DONE || t->over)
		return t->fate;
	t->lent->asked_at = clock_now();
	t->copying = sql;
	return end_of_copy(t, connection_copy_begin(t->lent->connection, sql, patience_of(t)));
}

enum fate transaction_copy_send(struct transaction *t, const char *rows, size_t length)
{
	if (t->copying == NULL)
		return t->fate;
	t->lent->asked_at = clock_now();
	return end_of_copy(
	    t, connection_copy_send(t->lent->connection, rows, length, patience_of(t)));
}

enum fate transaction_copy_end(struct transaction *t)
{
	const char *sql = t->copying;

	if (sql == NULL)
		return t->fate;
	t->lent->asked_at = clock_now();
	t->copying = NULL;
	return end_of_copy(t, connection_copy_end(t->lent->connection, sql, NULL, patience_of(t)));
}

/* --- the end --- */

enum fate transaction_commit(struct transaction *t)
{
	/* Nothing but BEGIN waits, and it was never sent. */
	bool nothing_to_do = t->lent == NULL && t->waiting.count == 1;

	if (t->over && t->fate == DONE)
		bug("a commit of a transaction that is over");
	if (!t->over && !nothing_to_do) {
		struct rows unread;

		t->rows[t->waiting.count] = &unread;
		pipeline_add(&t->waiting, &commit_it);
		send_waiting(t, true);
		if (t->fate == DONE)
			rows_free(&unread);
	}
	if (t->lent != NULL)
		give_back(t, t->fate);
	t->over = true;
	return t->fate;
}

const char *transaction_constraint(const struct transaction *t)
{
	return t->constraint;
}
