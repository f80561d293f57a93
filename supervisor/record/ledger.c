/* ledger.c - what a pool's workers have done, the dead ones included. */
#include "supervisor/record/ledger.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/system/loop.h"
#include "supervisor/upgrade/state.h"

/* What had been finished at a time. */
struct mark {
	int64_t at;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

struct ledger {
	const char *name;
	struct figures folded; /* of boards whose worker is dead */
	struct board *boards;  /* of the living */
	struct mark older, newer;
	struct ledger *next;
};

struct ledgers {
	struct arena *arena;
	struct ledger *first;
	int64_t opened;
};

struct ledgers *ledgers_open(int64_t now)
{
	struct arena *arena = arena_new(65536);
	struct ledgers *ledgers = arena_alloc(arena, sizeof(*ledgers));

	ledgers->arena = arena;
	ledgers->opened = now;
	return ledgers;
}

void ledgers_close(struct ledgers **ledgers)
{
	struct arena *arena;

	if (*ledgers == NULL)
		return;
	for (struct ledger *ledger = (*ledgers)->first; ledger != NULL; ledger = ledger->next)
		while (ledger->boards != NULL)
			ledger_close_board(ledger, &(struct board *){ ledger->boards });
	arena = (*ledgers)->arena;
	arena_free(&arena);
	*ledgers = NULL;
}

struct ledger *ledgers_find(struct ledgers *ledgers, const char *name)
{
	struct ledger *ledger = ledgers->first;

	while (ledger != NULL && strcmp(ledger->name, name) != 0)
		ledger = ledger->next;
	if (ledger != NULL)
		return ledger;
	ledger = arena_alloc(ledgers->arena, sizeof(*ledger));
	ledger->name = arena_copy(ledgers->arena, name, strlen(name));
	ledger->older.at = ledger->newer.at = ledgers->opened;
	ledger->next = ledgers->first;
	ledgers->first = ledger;
	return ledger;
}

void ledger_count_start(struct ledger *ledger)
{
	ledger->folded.starts++;
}

void ledger_count_failure(struct ledger *ledger)
{
	ledger->folded.failures++;
}

void ledger_open_board(struct ledger *ledger, struct board *board)
{
	if (board == NULL)
		return;
	board->next = ledger->boards;
	ledger->boards = board;
}

void ledger_close_board(struct ledger *ledger, struct board **board)
{
	struct board **place = &ledger->boards;

	if (*board == NULL)
		return;
	while (*place != *board)
		place = &(*place)->next;
	*place = (*board)->next;
	board_add_last(*board, &ledger->folded);
	board_close(board);
}

void ledger_total(const struct ledger *ledger, struct figures *figures)
{
	*figures = (struct figures){ 0 };
	if (ledger == NULL)
		return;
	*figures = ledger->folded;
	for (const struct board *board = ledger->boards; board != NULL; board = board->next)
		board_add(board, figures);
}

void ledger_pace(const struct ledger *ledger, int64_t now, struct pace *pace)
{
	struct figures figures;

	*pace = (struct pace){ 0 };
	if (ledger == NULL)
		return;
	ledger_total(ledger, &figures);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		figures.bucket[i] -= ledger->older.bucket[i];
	pace->seconds = (double)(now - ledger->older.at) / (double)SECOND_US;
	if (pace->seconds > 0)
		pace->rate = (double)histogram_count(figures.bucket) / pace->seconds;
	pace->p50 = histogram_quantile(figures.bucket, 0.50);
	pace->p95 = histogram_quantile(figures.bucket, 0.95);
	pace->p99 = histogram_quantile(figures.bucket, 0.99);
}

static void begin_window(struct ledger *ledger, int64_t now)
{
	struct figures figures;

	ledger_total(ledger, &figures);
	ledger->older = ledger->newer;
	ledger->newer.at = now;
	memcpy(ledger->newer.bucket, figures.bucket, sizeof(figures.bucket));
}

int64_t ledgers_tick(struct ledgers *ledgers, int64_t window, int64_t now)
{
	int64_t next = LOOP_FOREVER;

	for (struct ledger *ledger = ledgers->first; ledger != NULL; ledger = ledger->next) {
		if (now >= ledger->newer.at + window)
			begin_window(ledger, now);
		if (ledger->boards != NULL && ledger->newer.at + window < next)
			next = ledger->newer.at + window;
	}
	return next;
}

const char *ledger_name(const struct ledger *ledger)
{
	return ledger != NULL ? ledger->name : NULL;
}

/* --- from one master to the next --- */

#define LEDGERS_MOST 100000

static const struct state_field fields[] = {
	{ STATE_FIELD(struct ledger, folded.requests) },
	{ STATE_FIELD(struct ledger, folded.starts) },
	{ STATE_FIELD(struct ledger, folded.failures) },
	{ STATE_FIELD(struct ledger, folded.aborted) },
	{ STATE_FIELD(struct ledger, folded.errors) },
	{ STATE_FIELD(struct ledger, folded.bytes) },
	{ STATE_FIELD(struct ledger, folded.microseconds) },
	{ STATE_FIELD(struct ledger, folded.counters), .most = SCOREBOARD_COUNTERS },
	{ STATE_FIELD(struct ledger, older.at) },
	{ STATE_FIELD(struct ledger, newer.at) },
	{ 0 },
};

static void pass_counter(struct state *state, struct figures *figures, size_t index)
{
	char *name = figures->name[index];
	size_t length = strnlen(name, SCOREBOARD_NAME - 1);

	state_bytes(state, "counter", name, &length, SCOREBOARD_NAME - 1);
	figures->gauge[index] = state_flag(state, "gauge", figures->gauge[index]);
	state_numbers(state, "sum", &figures->counter[index], 1);
}

static void pass(struct state *state, struct ledger *ledger)
{
	state_fields(state, fields, ledger);
	for (size_t i = 0; i < ledger->folded.counters; i++)
		pass_counter(state, &ledger->folded, i);
	state_numbers(state, "folded", ledger->folded.bucket, HISTOGRAM_BUCKETS);
	state_numbers(state, "older", ledger->older.bucket, HISTOGRAM_BUCKETS);
	state_numbers(state, "newer", ledger->newer.bucket, HISTOGRAM_BUCKETS);
}

void ledgers_pass(struct state *state, struct ledgers *ledgers)
{
	size_t count = 0;

	state_part(state, "ledgers");
	for (const struct ledger *ledger = ledgers->first; ledger != NULL; ledger = ledger->next)
		count++;
	count = state_count(state, "ledgers", count, LEDGERS_MOST);
	ledgers->opened = state_number(state, "opened", ledgers->opened, 0, LLONG_MAX);
	for (struct ledger *ledger = ledgers->first; !state_is_read(state) && ledger != NULL;
	     ledger = ledger->next) {
		state_text(state, ledgers->arena, "name", ledger->name);
		pass(state, ledger);
	}
	for (size_t i = 0; state_is_read(state) && i < count; i++) {
		const char *name = state_text(state, ledgers->arena, "name", NULL);

		if (name == NULL)
			state_fail(state, "a ledger has no name");
		if (state_wrong(state) != NULL)
			return;
		pass(state, ledgers_find(ledgers, name));
	}
}
