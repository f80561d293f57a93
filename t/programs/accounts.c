/*
 * accounts.c - a program of one feature whose statements belong together: money that moves.
 *
 * The tests of transactions, conditional requests and Idempotency-Key use it; its
 * tables are made by t/lib/Ostler/Accounts.pm.
 */
#include "core/core.h"
#include "program.h"

struct account {
	long long id, balance, version;
};
struct transfer {
	long long id, giver, taker, amount;
	const char *note;
};
struct order {
	long long giver, taker, amount;
	double pause; /* seconds between taking and giving */
	const char *note;
};

/* clang-format off */
static const struct shape account = SHAPE(struct account,
	{ FIELD(struct account, id) }, { FIELD(struct account, balance) }, { FIELD(struct account, version) });

static const struct shape new_balance = SHAPE(struct account, { FIELD(struct account, balance), .required = true });

static const struct shape transfer = SHAPE(struct transfer,
	{ FIELD(struct transfer, id) }, { FIELD(struct transfer, giver) }, { FIELD(struct transfer, taker) },
	{ FIELD(struct transfer, amount) }, { FIELD(struct transfer, note) });

static const struct shape order = SHAPE(struct order,
	{ FIELD(struct order, giver), .required = true }, { FIELD(struct order, taker), .required = true },
	{ FIELD(struct order, amount), .min = 1, .max = 1000000, .required = true },
	{ FIELD(struct order, pause), .preset = "0" }, { FIELD(struct order, note), .max = 100, .preset = "" });
/* clang-format on */

static int read_account(struct request *rq)
{
	return reply_row(
	    rq, query(rq, "SELECT id, balance, version FROM accounts WHERE id = $1", path_id(rq)));
}

static int set_balance(struct request *rq)
{
	const struct account *in = input(rq);

	return reply_row(rq, query(rq,
				 "UPDATE accounts SET balance = $2, version = version + 1 WHERE id "
				 "= $1 RETURNING id, balance, version",
				 path_id(rq), in->balance));
}

static const struct rows *move(struct request *rq)
{
	const struct order *in = input(rq);

	query(rq, "UPDATE accounts SET balance = balance - $2, version = version + 1 WHERE id = $1",
	    in->giver, in->amount);
	if (in->pause > 0)
		query(rq, "SELECT pg_sleep($1)", in->pause);
	query(rq, "UPDATE accounts SET balance = balance + $2, version = version + 1 WHERE id = $1",
	    in->taker, in->amount);
	return query(rq,
	    "INSERT INTO transfers (giver, taker, amount, note) VALUES ($1, $2, $3, $4)"
	    " RETURNING id, giver, taker, amount, note",
	    in->giver, in->taker, in->amount, in->note);
}

static int transfer_money(struct request *rq)
{
	return reply_created(rq, move(rq));
}

static int transfer_later(struct request *rq)
{
	const struct order *in = input(rq);

	/* More than one pipeline holds. */
	for (int i = 0; i < 10; i++) {
		query_later(rq, "UPDATE accounts SET balance = balance - $2 WHERE id = $1",
		    in->giver, in->amount);
		query_later(rq, "UPDATE accounts SET balance = balance + $2 WHERE id = $1",
		    in->taker, in->amount);
	}
	return reply_done(rq, NULL);
}

static int transfer_hastily(struct request *rq)
{
	int status = transfer_money(rq);

	query(rq, "UPDATE accounts SET balance = -1 WHERE id = $1", path_id(rq));
	return status;
}

static int change_mind(struct request *rq)
{
	move(rq);
	return reply_problem(rq, 409, "Rather not.");
}

static int do_nothing(struct request *rq)
{
	return reply_done(rq, NULL);
}

/* clang-format off */
static const struct feature accounts = { .name = "accounts", .doc = "Money that moves.", .routes = ROUTES(
	{ ROUTE(GET, "/accounts/{id}", "Read an account", ANYONE, read_account), .gives = &account },
	{ ROUTE(PUT, "/accounts/{id}", "Set an account's balance", ANYONE, set_balance), .takes = &new_balance,
	    .gives = &account, .versioned = VERSION_OF("accounts"), .needs_match = true },
	{ ROUTE(PUT, "/plain/{id}", "The same without versions", ANYONE, set_balance), .takes = &new_balance, .gives = &account },
	{ ROUTE(PUT, "/nothing/{id}", "Ask nothing of what has a version", ANYONE, do_nothing), .versioned = VERSION_OF("accounts") },
	{ ROUTE(POST, "/transfers", "Move money", ANYONE, transfer_money),
	    .takes = &order, .gives = &transfer, .status = 201, .transaction = true },
	{ ROUTE(POST, "/later", "Move money ten times, in no hurry", ANYONE, transfer_later),
	    .takes = &order, .transaction = true },
	{ ROUTE(POST, "/hasty/{id}", "Move money, and answer before all is done", ANYONE, transfer_hastily),
	    .takes = &order, .gives = &transfer, .status = 201, .transaction = true },
	{ ROUTE(POST, "/rather-not", "Move money, and refuse to", ANYONE, change_mind),
	    .takes = &order, .transaction = true },
	{ ROUTE(POST, "/nothing", "Ask nothing", ANYONE, do_nothing), .transaction = true }) };
/* clang-format on */

static const struct ostler_program program = { .name = "ostler-app-accounts",
	.features = FEATURES(&accounts) };

int main(int argc, char **argv)
{
	return ostler_main(argc, argv, &program);
}
