/*
 * master.c - the process that keeps all workers alive: its one loop.
 *
 * The loop waits for signals, messages, clients and the next deadline, and then
 * does its business always in the same order: bury the dead, decide, act, tell.
 * Nothing in it blocks.  What happens is only noted by those who hear of it;
 * what is to be done about it is decided in one place, policy.c.
 */
#include "supervisor/master.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/conf/edition.h"
#include "supervisor/control/control.h"
#include "supervisor/opening.h"
#include "supervisor/output/capture.h"
#include "supervisor/output/sink.h"
#include "supervisor/pool/autoscale.h"
#include "supervisor/pool/drain.h"
#include "supervisor/pool/lifecycle.h"
#include "supervisor/pool/reload.h"
#include "supervisor/process/burial.h"
#include "supervisor/process/inquest.h"
#include "supervisor/process/superior.h"
#include "supervisor/record/events.h"
#include "supervisor/record/ledger.h"
#include "supervisor/upgrade/examiner.h"
#include "supervisor/upgrade/state.h"
#include "supervisor/upgrade/upgrade.h"

/* So late, the machine or we were asleep. */
#define AWAY SECOND_US

/* --- what the loop does ----------------------------------------------------------------------- */

static void hear_stop(struct master *m, int signal)
{
	enum stopping wish = m->pools->stopping == STOP_NOT ? STOP_ORDERLY : STOP_QUICK;

	if (signal == SIGQUIT)
		wish = STOP_QUICK;
	event_master(EVENT_MASTER_STOP, "SIG%s: %s", sigabbrev_np(signal),
	    wish == STOP_ORDERLY ? "in order" : "at once");
	log_info("SIG%s: %s", sigabbrev_np(signal),
	    wish == STOP_ORDERLY ? "stops all in order; once more: stops all at once"
				 : "stops all at once");
	pools_stop(m->pools, wish, clock_now());
}

static void reopen_output(void)
{
	size_t failed = sinks_reopen();

	event_master(EVENT_LOGS_REOPENED, "%zu could not be opened", failed);
	log_info("SIGUSR1: the output files are opened anew");
}

/* A terminal sends it whenever its window changes. */
static void hear_winch(struct master *m)
{
	if (isatty(STDIN_FILENO))
		return;
	event_master(EVENT_SIGNAL, "SIGWINCH: FastCGI pools take nothing new");
	lifecycle_drain_all(m->pools, clock_now());
}

/* That it is refused is told in the log. */
static void hear_upgrade(struct master *m)
{
	unsigned long long number;

	upgrade_ask(m->pools->upgrade, "SIGUSR2", &number);
}

/* Takes a note; the loop acts on it in its own order. */
static void hear_signal(void *owner, int signal)
{
	struct master *m = owner;

	if (signal == SIGCHLD)
		m->child_ended = true;
	else if (signal == SIGUSR1)
		reopen_output();
	else if (signal == SIGHUP)
		reload_ask(m->pools->reload, &(struct reload_wish){ .who = "SIGHUP" });
	else if (signal == SIGUSR2)
		hear_upgrade(m);
	else if (signal == SIGTTIN || signal == SIGTTOU)
		lifecycle_scale_all(m->pools, signal == SIGTTIN ? 1 : -1, clock_now());
	else if (signal == SIGWINCH)
		hear_winch(m);
	else
		hear_stop(m, signal);
}

/*
 * Returns a time before which nothing has happened that we have not heard of.
 * Were we stopped in the middle of the loop, many deadlines have passed, and
 * what came in time for them must be heard first.
 */
static int64_t hear_the_rest(struct master *m)
{
	int64_t now = clock_now();

	loop_wait(m->loop, 0);
	return now;
}

/*
 * Takes note of a pause when DUE, or the end of the loop's own work, is long
 * past.  How much of the time since the last look was slept nobody can say, so
 * all of it counts as slept.
 */
static void look_at_clock(struct master *m, int64_t due, int64_t now)
{
	int64_t last = m->looked != 0 ? m->looked : now;
	double seconds = (double)(now - last) / (double)SECOND_US;

	m->looked = now;
	if (now - (due > last ? due : last) < AWAY)
		return;
	m->pools->pause = (struct pause){ now, now - last };
	event_master(EVENT_TROUBLE, "looked at the clock after %.1f s only", seconds);
	log_warn("looked at the clock after %.1f s only, asleep or held up: nobody is blamed for "
		 "not being in time",
	    seconds);
}

static void reap(struct master *m)
{
	if (!m->child_ended)
		return;
	m->child_ended = false;
	bury_the_dead(m->pools, &m->spawner);
}

/* Returns when to decide again: at once when an order has just changed things. */
static int64_t do_what_policy_says(struct master *m, int64_t now)
{
	bool upgrades = upgrade_is_under_way(m->pools->upgrade);
	/* What is asked for meanwhile is handed over as a wish. */
	int64_t reload = upgrades ? LOOP_FOREVER : reload_tick(m->pools->reload, now);
	int64_t demand = autoscale_tick(m->pools, m->loop, now);
	int64_t look = drain_tick(m->pools, now);
	int64_t limit = inquests_tick(m->pools->inquests, now);

	policy_decide(m->pools, now, &m->orders);
	orders_carry_out(&m->orders, &m->spawner, now);
	if (m->orders.count > 0 || reload <= now)
		return now;
	look = look < demand ? look : demand;
	look = look < limit ? look : limit;
	return look < m->orders.wake ? look : m->orders.wake;
}

static void tell_when_all_are_ready(struct master *m)
{
	if (m->all_ready_told || !pools_are_ready(m->pools))
		return;
	m->all_ready_told = true;
	event_master(EVENT_MASTER_READY, "%zu pools", m->pools->count);
	log_info("all pools are ready");
	if (m->conf->greeting != NULL)
		log_info("%s", m->conf->greeting);
}

/* --- its life --------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Returns when to wake up for what clients, output and the windows of the ledgers need. */
static int64_t do_chores(struct master *m, int64_t now)
{
	int64_t impatient = control_tick(m->control, now), stuck = sinks_flush(now);
	int64_t window = ledgers_tick(m->spawner.ledgers, m->conf->window * 1000, now);

	captures_tell_losses(m->spawner.captures);
	return earlier(impatient, earlier(stuck, window));
}

static void live(struct master *m)
{
	int64_t wake = 0;

	while (!pools_have_stopped(m->pools)) {
		int64_t now = clock_now();

		wake = earlier(wake, do_chores(m, now));
		look_at_clock(m, 0, now);
		loop_wait(m->loop, wake);
		now = hear_the_rest(m);
		look_at_clock(m, wake, now);
		reap(m);
		wake = do_what_policy_says(m, now);
		tell_when_all_are_ready(m);
		wake = earlier(wake, superior_tick(m->superior, m->pools, clock_now()));
		wake = earlier(wake, upgrade_tick(m->pools->upgrade, now));
	}
	log_info("all pools have stopped");
}

static int end(struct master *m, bool opened)
{
	opening_close(m);
	edition_drop(&m->edition);
	arena_free(&m->arena);
	return opened ? EXIT_SUCCESS : m->status;
}

static struct master make(const char *program, const char *file)
{
	return (struct master){ .program = program,
		.file = file,
		.hear = hear_signal,
		.arena = arena_new(65536),
		.pid_file = -1 };
}

int master_run(const struct conf *conf, const char *program, const char *file)
{
	struct master m = make(program, file);
	bool opened;

	m.conf = conf;
	m.edition = edition_new(conf);
	opened = opening_by_conf(&m);
	if (opened) {
		event_master(EVENT_MASTER_START, "%zu pools", m.pools->count);
		log_info("ostlerd %d starts; pools: %zu", (int)getpid(), m.pools->count);
		live(&m);
	}
	return end(&m, opened);
}

int master_check(int fd, const char *program, const char *file)
{
	struct state *state = state_open(fd);
	struct master m = make(program, file);
	bool good = opening_read(&m, state);

	if (good)
		examiner_say_yes(state);
	else
		fprintf(stderr, "%s\n", state_wrong(state));
	/* Nothing is closed: who closes a listener takes its name away. */
	fflush(stderr);
	_exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
}

int master_take_over(int fd, const char *program, const char *file)
{
	struct state *state = state_open(fd);
	struct master m = make(program, file);
	bool opened = opening_read(&m, state);

	/* It was examined before: this is the end of all, and the guardian sees to that. */
	if (!opened)
		die("what was handed over cannot be had: %s", state_wrong(state));
	state_free(&state);
	close(fd);
	opened = opening_take_over(&m);
	if (opened)
		live(&m);
	return end(&m, opened);
}
