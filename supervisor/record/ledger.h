/*
 * ledger.h - what a pool's workers have done, the dead ones included.
 *
 * A worker's board joins the totals of its pool when the process has died.  So a
 * pool's numbers outlive its workers and a reload, and never go backwards.
 */
#ifndef SUPERVISOR_RECORD_LEDGER_H
#define SUPERVISOR_RECORD_LEDGER_H

#include "base/arena.h"
#include "supervisor/record/board.h"

struct ledgers; /* all of a master */
struct ledger;  /* of one pool */

struct ledgers *ledgers_open(int64_t now);
void ledgers_close(struct ledgers **);

/* The ledger of the pool NAME, made when there is none: a pool that comes back has its totals. */
struct ledger *ledgers_find(struct ledgers *, const char *name);

/* Its name; NULL for NULL. */
const char *ledger_name(const struct ledger *);

/*
 * Hands all over, or takes them from a master before us, without the boards of
 * the living, which come with their workers: upgrade/state.h.
 */
void ledgers_pass(struct state *, struct ledgers *);

/* A process has a board now; NULL is fine: it has none. */
void ledger_open_board(struct ledger *, struct board *);

/* The process is dead: its numbers join the totals and the board is gone; NULL is fine. */
void ledger_close_board(struct ledger *, struct board **);

/* A process of the pool was made; one has ended as it should not have. */
void ledger_count_start(struct ledger *);
void ledger_count_failure(struct ledger *);

/* Since ostlerd started; a NULL ledger has nothing in it. */
void ledger_total(const struct ledger *, struct figures *);

/* Of late: over the last one to two windows, see ledgers_tick. */
struct pace {
	double seconds;       /* how long that was */
	double rate;          /* requests in a second */
	double p50, p95, p99; /* µs; 0 when there were none */
};
void ledger_pace(const struct ledger *, int64_t now, struct pace *);

/* Begins a new window when the last one is WINDOW µs old.  Returns when to be called again. */
int64_t ledgers_tick(struct ledgers *, int64_t window, int64_t now);

#endif
