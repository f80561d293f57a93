/* scoreboard_test.c - slots are read while they are written, and no request is lost or counted
 * twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/loop.h"

/* --- one process --- */

/* A board as a worker and its supervisor have it, here in one process. */
static struct board *open_both(struct ledger *ledger, int64_t timeout, struct scoreboard **worker)
{
	char text[16];
	struct board *board = board_open(timeout);

	assert_non_null(board);
	ledger_open_board(ledger, board);
	snprintf(text, sizeof(text), "%d", dup(board->fd));
	setenv(SCOREBOARD_VARIABLE, text, 1);
	*worker = scoreboard_attach(2);
	unsetenv(SCOREBOARD_VARIABLE);
	return board;
}

static void a_request_is_seen_while_it_runs(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct scoreboard *worker;
	struct board *board = open_both(ledger, 5000, &worker);
	struct board_work work;

	(void)state;
	board_look(board, &work);
	assert_int_equal(work.idle, 2);
	assert_int_equal(work.deadline, LOOP_FOREVER);
	scoreboard_begin(&worker->slot[1], 1000, worker->head.timeout);
	scoreboard_name(&worker->slot[1], "GET", "/api/tasks/{id}");
	board_look(board, &work);
	assert_int_equal(work.busy, 1);
	assert_int_equal(work.idle, 1);
	assert_int_equal(work.oldest, 1000);
	assert_int_equal(work.deadline, 6000);
	assert_string_equal(work.request.method, "GET");
	assert_string_equal(work.request.route, "/api/tasks/{id}");
	assert_int_equal(board_requests(board), 1);
	scoreboard_send(&worker->slot[1]);
	board_look(board, &work);
	assert_int_equal(work.request.state, SCORE_SENDING);
	scoreboard_end(&worker->slot[1], 1000, 1700, 42, true);
	board_look(board, &work);
	assert_int_equal(work.busy, 0);
	assert_int_equal(work.deadline, LOOP_FOREVER);
	scoreboard_detach(&worker);
	ledgers_close(&ledgers);
}

static void the_request_due_first_is_told(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct scoreboard *worker;
	struct board *board = open_both(ledgers_find(ledgers, "web"), 0, &worker);
	struct board_work work;

	(void)state;
	scoreboard_begin(&worker->slot[0], 100, 0);
	scoreboard_name(&worker->slot[0], "GET", "/old");
	scoreboard_begin(&worker->slot[1], 200, 50);
	scoreboard_name(&worker->slot[1], "GET", "/due");
	board_look(board, &work);
	assert_int_equal(work.oldest, 100);
	assert_int_equal(work.deadline, 250);
	assert_string_equal(work.request.route, "/due");
	scoreboard_detach(&worker);
	ledgers_close(&ledgers);
}

static void what_is_too_long_is_cut(void **state)
{
	struct score *score = test_calloc(1, sizeof(*score) + 64);
	struct score *aligned = (struct score *)(((uintptr_t)score + 63) & ~(uintptr_t)63);
	struct score_view view;
	char route[200];

	(void)state;
	memset(route, 'r', sizeof(route) - 1);
	route[sizeof(route) - 1] = '\0';
	scoreboard_begin(aligned, 1, 0);
	scoreboard_name(aligned, "PROPPATCH", route);
	assert_true(scoreboard_view(aligned, &view));
	assert_string_equal(view.method, "PROPPAT");
	assert_int_equal(strlen(view.route), SCOREBOARD_ROUTE - 1);
	scoreboard_name(aligned, "GET", "/");
	assert_true(scoreboard_view(aligned, &view));
	assert_string_equal(view.route, "/");
	scoreboard_begin(aligned, 2, 0);
	assert_true(scoreboard_view(aligned, &view));
	assert_string_equal(view.route, "");
	assert_string_equal(view.method, "");
	test_free(score);
}

static void without_a_supervisor_it_works_alone(void **state)
{
	static const char *const wrong[] = { "", "x", "0", "-1", "70000", "1023" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct scoreboard *worker;

		setenv(SCOREBOARD_VARIABLE, wrong[i], 1);
		worker = scoreboard_attach(1);
		scoreboard_begin(&worker->slot[0], 1, 0);
		scoreboard_end(&worker->slot[0], 1, 2, 0, false);
		assert_int_equal(score_read(&worker->slot[0].finished), 1);
		scoreboard_detach(&worker);
	}
	unsetenv(SCOREBOARD_VARIABLE);
}

static void its_size_is_sealed(void **state)
{
	struct board *board = board_open(0);

	(void)state;
	assert_non_null(board);
	assert_int_equal(ftruncate(board->fd, 0), -1);
	assert_int_equal(ftruncate(board->fd, 1 << 30), -1);
	assert_int_equal(fcntl(board->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_true((fcntl(board->fd, F_GETFD) & FD_CLOEXEC) != 0);
	board_close(&board);
}

static void counters_are_added_by_name(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct scoreboard *one, *other;
	struct board *first = open_both(ledger, 0, &one);
	struct board *second = open_both(ledger, 0, &other);
	struct figures total;
	int hits = scoreboard_counter(one, "cache_hits");
	int misses = scoreboard_counter(other, "Cache Misses");
	int again = scoreboard_counter(other, "cache_hits");

	(void)state;
	assert_int_equal(scoreboard_counter(one, "a name that is much longer than what fits"), -1);
	score_add(&one->slot[0].counter[hits], 5);
	score_add(&other->slot[1].counter[misses], 7);
	score_add(&other->slot[1].counter[again], 3);
	ledger_close_board(ledger, &first);
	ledger_total(ledger, &total);
	assert_int_equal(total.counters, 2);
	assert_string_equal(total.name[0], "cache_hits");
	assert_int_equal(total.counter[0], 8);
	assert_string_equal(total.name[1], "_ache__isses");
	assert_int_equal(total.counter[1], 7);
	assert_non_null(second);
	scoreboard_detach(&one);
	scoreboard_detach(&other);
	ledgers_close(&ledgers);
}

/* What a worker writes must not lead the supervisor astray. */
static void a_mad_worker_hurts_nobody(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct scoreboard *worker;
	struct board *board = open_both(ledger, 0, &worker);
	struct board_work work;
	struct figures total;

	(void)state;
	memset(&worker->head, 0xff, sizeof(worker->head));
	memset(worker->slot, 0xff, sizeof(worker->slot[0]));
	board_look(board, &work);
	assert_int_equal(work.busy + work.idle, SCOREBOARD_SLOTS);
	ledger_total(ledger, &total);
	assert_true(total.counters <= SCOREBOARD_COUNTERS);
	ledger_close_board(ledger, &board);
	assert_null(board);
	scoreboard_detach(&worker);
	ledgers_close(&ledgers);
}

static void the_recent_past_is_forgotten(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct scoreboard *worker;
	struct board *board = open_both(ledger, 0, &worker);
	struct pace pace;

	(void)state;
	assert_non_null(board);
	for (int i = 0; i < 100; i++)
		scoreboard_end(&worker->slot[0], 0, 1000, 0, false);
	ledger_pace(ledger, 2 * SECOND_US, &pace);
	assert_true(pace.rate > 49.9 && pace.rate < 50.1);
	assert_true(pace.p50 > 980 && pace.p50 < 1020);
	assert_int_equal(ledgers_tick(ledgers, SECOND_US, 2 * SECOND_US), 3 * SECOND_US);
	ledger_pace(ledger, 2 * SECOND_US, &pace);
	assert_true(pace.p50 > 980); /* still in the window before */
	ledgers_tick(ledgers, SECOND_US, 3 * SECOND_US);
	scoreboard_end(&worker->slot[0], 0, 8000, 0, false);
	ledger_pace(ledger, 4 * SECOND_US, &pace);
	assert_true(pace.p50 > 7800 && pace.p50 < 8200);
	assert_true(pace.rate > 0.49 && pace.rate < 0.51);
	scoreboard_detach(&worker);
	ledgers_close(&ledgers);
}

/* --- many threads --- */

enum { THREADS = 4, ROUNDS = 20000 };

/* Each thread names its requests by one letter only: a mix would be a torn line. */
static void *write_lines(void *of)
{
	struct score *score = of;
	char route[SCOREBOARD_ROUTE];
	char method[4];

	for (int i = 0; i < ROUNDS; i++) {
		memset(route, 'a' + i % 26, sizeof(route) - 1);
		route[1 + i % (SCOREBOARD_ROUTE - 1)] = '\0';
		memset(method, 'a' + i % 26, 3);
		method[3] = '\0';
		scoreboard_begin(score, i + 1, 10);
		scoreboard_name(score, method, route);
		scoreboard_end(score, i + 1, i + 1 + i % 100, 1, i % 10 == 0);
	}
	return NULL;
}

static void check_line(const struct score_view *view)
{
	size_t length = strlen(view->route);

	if (view->method[0] == '\0')
		return;
	assert_int_equal(strlen(view->method), 3);
	assert_int_equal(strspn(view->method, (char[]){ view->method[0], '\0' }), 3);
	assert_int_equal(strspn(view->route, (char[]){ view->method[0], '\0' }), length);
}

static void a_line_is_never_torn(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct scoreboard *worker;
	struct board *board = open_both(ledger, 0, &worker);
	pthread_t thread[THREADS];
	struct figures total, before = { 0 };
	uint64_t seen = 0;

	(void)state;
	atomic_store(&worker->head.used, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, write_lines, &worker->slot[i]), 0);
	do {
		for (int i = 0; i < THREADS; i++) {
			struct score_view view;

			if (scoreboard_view(&board->memory->slot[i], &view)) {
				check_line(&view);
				seen++;
			}
		}
		ledger_total(ledger, &total);
		assert_true(total.requests >= before.requests && total.bytes >= before.bytes);
		before = total;
	} while (total.requests < THREADS * ROUNDS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ledger_close_board(ledger, &board);
	ledger_total(ledger, &total);
	assert_true(seen > 0);
	assert_int_equal(total.requests, THREADS * ROUNDS);
	assert_int_equal(total.bytes, THREADS * ROUNDS);
	assert_int_equal(total.errors, THREADS * ROUNDS / 10);
	assert_int_equal(histogram_count(total.bucket), THREADS * ROUNDS);
	assert_int_equal(total.aborted, 0);
	scoreboard_detach(&worker);
	ledgers_close(&ledgers);
}

/* --- processes that are killed --- */

/*
 * A worker that does requests as fast as it can.  With a LIMIT it ends by
 * itself; without, it is killed in the middle of whatever it is at.
 */
static pid_t start_worker(int limit)
{
	pid_t pid = fork();
	struct scoreboard *worker;

	if (pid != 0)
		return pid;
	worker = scoreboard_attach(1);
	for (int i = 0; limit == 0 || i < limit; i++) {
		scoreboard_begin(&worker->slot[0], i + 1, 10);
		scoreboard_name(&worker->slot[0], "GET", "/");
		scoreboard_end(&worker->slot[0], i + 1, i + 1 + i % 1000, 7, false);
	}
	_exit(0);
}

static struct board *give_birth(struct ledger *ledger, int limit, pid_t *pid)
{
	char text[16];
	struct board *board = board_open(0);

	assert_non_null(board);
	ledger_open_board(ledger, board);
	snprintf(text, sizeof(text), "%d", board->fd);
	setenv(SCOREBOARD_VARIABLE, text, 1);
	*pid = start_worker(limit);
	assert_true(*pid > 0);
	return board;
}

static void check_consistent(const struct figures *total)
{
	assert_int_equal(histogram_count(total->bucket), total->requests);
	/* One thread was at one request at most: its bytes may be counted, its bucket not. */
	assert_true(total->bytes >= 7 * total->requests);
	assert_true(total->bytes <= 7 * (total->requests + total->aborted));
}

static void kill_after_some(struct ledger *ledger, uint64_t *begun)
{
	struct figures before, after;
	pid_t pid;
	struct board *board = give_birth(ledger, 0, &pid);
	struct scoreboard *seen = board->memory;
	long long wanted = 1000 + *begun % 777;

	while (board_requests(board) < wanted)
		sched_yield();
	ledger_total(ledger, &before);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	*begun += score_read(&seen->slot[0].begun);
	ledger_close_board(ledger, &board);
	ledger_total(ledger, &after);
	assert_true(after.requests >= before.requests && after.bytes >= before.bytes);
	assert_int_equal(after.requests + after.aborted, *begun);
	check_consistent(&after);
}

static void sums_are_exact_after_kills(void **state)
{
	enum { KILLS = 100, RECYCLED = 100, EACH = 1000 };
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct figures total;
	uint64_t begun = 0;

	(void)state;
	for (int i = 0; i < KILLS; i++)
		kill_after_some(ledger, &begun);
	for (int i = 0; i < RECYCLED; i++) {
		pid_t pid;
		struct board *board = give_birth(ledger, EACH, &pid);

		assert_int_equal(waitpid(pid, NULL, 0), pid);
		ledger_close_board(ledger, &board);
	}
	unsetenv(SCOREBOARD_VARIABLE);
	ledger_total(ledger, &total);
	assert_true(total.requests >= KILLS * 1000 + RECYCLED * EACH);
	assert_int_equal(total.requests + total.aborted, begun + RECYCLED * EACH);
	assert_true(total.aborted <= KILLS);
	check_consistent(&total);
	ledgers_close(&ledgers);
}

/* The two places where death leaves something to settle. */
static void death_between_two_stores_is_settled(void **state)
{
	struct ledgers *ledgers = ledgers_open(0);
	struct ledger *ledger = ledgers_find(ledgers, "web");
	struct scoreboard *worker;
	struct board *board = open_both(ledger, 0, &worker);
	struct figures total;

	(void)state;
	scoreboard_begin(&worker->slot[0], 1, 0);
	scoreboard_end(&worker->slot[0], 1, 5, 0, false);
	scoreboard_begin(&worker->slot[0], 6, 0);
	score_add(&worker->slot[0].bucket[3], 1); /* and killed before `finished` */
	scoreboard_begin(&worker->slot[1], 7, 0); /* killed at work */
	ledger_close_board(ledger, &board);
	ledger_total(ledger, &total);
	assert_int_equal(total.requests, 2);
	assert_int_equal(total.aborted, 1);
	assert_int_equal(histogram_count(total.bucket), 2);
	scoreboard_detach(&worker);
	ledgers_close(&ledgers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_seen_while_it_runs),
		cmocka_unit_test(the_request_due_first_is_told),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(without_a_supervisor_it_works_alone),
		cmocka_unit_test(its_size_is_sealed),
		cmocka_unit_test(counters_are_added_by_name),
		cmocka_unit_test(a_mad_worker_hurts_nobody),
		cmocka_unit_test(the_recent_past_is_forgotten),
		cmocka_unit_test(a_line_is_never_torn),
		cmocka_unit_test(sums_are_exact_after_kills),
		cmocka_unit_test(death_between_two_stores_is_settled),
	};

	return cmocka_run_group_tests_name("scoreboard", tests, NULL, NULL);
}
