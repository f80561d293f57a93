/*
 * master.c - the process that keeps all workers alive: its one loop.
 *
 * The loop waits for signals, messages, clients and the next deadline, and then
 * does its business always in the same order: bury the dead, decide, act, tell.
 * Nothing in it blocks.  What happens is only noted by those who hear of it;
 * what is to be done about it is decided in one place, policy.c.
 */
#include "supervisor/master.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control/control.h"
#include "supervisor/output/capture.h"
#include "supervisor/output/sink.h"
#include "supervisor/pool/autoscale.h"
#include "supervisor/pool/drain.h"
#include "supervisor/pool/generation.h"
#include "supervisor/pool/lifecycle.h"
#include "supervisor/pool/orders.h"
#include "supervisor/pool/reload.h"
#include "supervisor/process/burial.h"
#include "supervisor/process/guardian.h"
#include "supervisor/process/inquest.h"
#include "supervisor/process/notify.h"
#include "supervisor/process/superior.h"
#include "supervisor/record/events.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/cgroup.h"
#include "supervisor/system/inherited.h"
#include "supervisor/system/lockfile.h"
#include "supervisor/system/signals.h"

/* So late, the machine or we were asleep. */
#define AWAY SECOND_US

/* What the configuration names cannot be had. */
#define EXIT_NAMED 2

struct master {
	const struct conf *conf; /* that it was started with */
	struct edition *edition; /* of it */
	const char *file;
	struct arena *arena;
	struct loop *loop;
	struct pools *pools;
	struct notify *notify;
	struct superior *superior; /* NULL: nobody wants to know how we are */
	struct control *control;
	struct spawner spawner;
	struct orders orders;
	struct signals *signals;
	int pid_file;
	bool child_ended; /* set by a signal, acted on by the loop */
	int64_t looked;   /* when it last looked at the clock */
	bool all_ready_told;
	int status; /* that we shall exit with */
};

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
	int64_t reload = reload_tick(m->pools->reload, now);
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

/* --- beginning and end ------------------------------------------------------------------------ */

static void hear_critic(void *owner, const char *name, const char *message)
{
	(void)owner;
	log_error("%s: %s (it was fine when the configuration was checked)", name, message);
}

static bool hold_pid_file(struct master *m)
{
	const char *path = m->conf->pid_file;
	char text[32];

	if (path == NULL)
		return true;
	m->pid_file = lockfile_take(path, 0644);
	if (m->pid_file < 0) {
		log_error("%s: pid_file: %s: %s", m->file, path,
		    errno == EWOULDBLOCK ? "another ostlerd holds it; end that, or name another"
					 : strerror(errno));
		return false;
	}
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (lockfile_write(m->pid_file, text))
		return true;
	log_error("cannot write %s: %s", path, strerror(errno));
	return false;
}

static bool open_sockets(struct master *m)
{
	const char *wrong = NULL;

	m->control = control_open(m->arena, m->conf->control, m->loop, m->pools, &wrong);
	if (m->control == NULL) {
		log_error("%s: control: %s", m->file, wrong);
		return false;
	}
	if (!generation_listen_all(m->arena, m->pools, &wrong)) {
		log_error("%s", wrong);
		return false;
	}
	inherited_close_unused(m->pools->inherited);
	return true;
}

/* All pools of the configuration, each with its first generation. */
static bool make_pools(struct master *m)
{
	struct plan_critic critic = { .hear = hear_critic };
	bool good = true;

	m->pools = pools_new();
	m->pools->reload = reload_new(m->pools, m->loop, m->file, m->conf);
	m->pools->inherited = inherited_take(m->arena);
	for (size_t i = 0; i < m->conf->pools.count && good; i++) {
		const struct pool_conf *conf = conf_pool(m->conf, i);
		struct pool *pool = pools_add(m->pools, conf->named.name);
		struct generation *first = generation_new(pool, m->edition, conf, &critic);

		good = first != NULL;
		if (good)
			generation_becomes(first, GENERATION_SERVING, clock_now());
	}
	if (good)
		pools_put_in_order(m->pools);
	return good;
}

/* False: they are insisted on, and cannot be had. */
static bool make_cgroups(struct master *m)
{
	const char *wrong;

	if (m->conf->cgroups == CGROUPS_OFF)
		return true;
	m->spawner.cgroups = cgroups_open(m->arena, m->conf->cgroups == CGROUPS_ON, &wrong);
	if (m->spawner.cgroups != NULL)
		log_debug(
		    "each worker has a cgroup of its own in %s", cgroups_path(m->spawner.cgroups));
	else if (m->conf->cgroups == CGROUPS_ON)
		log_error("no cgroups: %s", wrong);
	else
		log_debug("workers are process groups and no more: %s", wrong);
	return m->spawner.cgroups != NULL || m->conf->cgroups != CGROUPS_ON;
}

static bool open_up(struct master *m)
{
	/* Orphans of our workers become our children instead of running on unseen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	m->loop = loop_open(m->arena);
	m->superior = superior_open(m->arena, m->conf->extend_interval * 1000);
	m->status = EXIT_FAILURE;
	if (!make_pools(m) || m->loop == NULL)
		return false;
	/* Before anything can be found by which to signal us: from now on we end in order. */
	m->signals = signals_open(m->arena, m->loop, hear_signal, m);
	m->notify = notify_open(m->arena, m->loop, m->pools);
	if (m->notify == NULL || m->signals == NULL) {
		log_error("cannot set up: %s", strerror(errno));
		return false;
	}
	m->status = EXIT_NAMED;
	if (!hold_pid_file(m) || !open_sockets(m))
		return false;
	m->status = EXIT_FAILURE;
	if (!make_cgroups(m))
		return false;
	m->spawner = (struct spawner){ .loop = m->loop,
		.cgroups = m->spawner.cgroups,
		.scratch = arena_new(16384),
		.notify_name = notify_name(m->notify),
		.captures = captures_new(m->arena, m->loop),
		.ledgers = ledgers_open(clock_now()),
		.guardian = guardian_start(m->arena, m->pools, m->spawner.cgroups),
		.master = getpid() };
	m->pools->inquests = m->spawner.inquests = inquests_open(m->arena, &m->spawner);
	if (m->spawner.guardian != NULL)
		return true;
	log_error("cannot set up a guardian: %s", strerror(errno));
	return false;
}

static void close_down(struct master *m)
{
	guardian_end(&m->spawner.guardian);
	cgroups_close(&m->spawner.cgroups);
	if (m->pools != NULL) {
		reload_free(&m->pools->reload);
		generation_free_all(m->pools);
		inherited_close(&m->pools->inherited);
	}
	inquests_close(&m->spawner.inquests);
	captures_close(&m->spawner.captures);
	notify_close(&m->notify);
	superior_close(&m->superior);
	control_close(&m->control);
	if (m->conf->pid_file != NULL)
		lockfile_drop(m->conf->pid_file, &m->pid_file);
	signals_close(&m->signals);
	loop_close(&m->loop);
	orders_free(&m->orders);
	ledgers_close(&m->spawner.ledgers);
	pools_free(&m->pools);
	if (m->spawner.scratch != NULL)
		arena_free(&m->spawner.scratch);
}

int master_run(const struct conf *conf, const char *file)
{
	struct master m = { .conf = conf,
		.file = file,
		.edition = edition_new(conf),
		.arena = arena_new(65536),
		.pid_file = -1 };
	bool opened = open_up(&m);
	int64_t wake = 0;

	if (opened)
		event_master(EVENT_MASTER_START, "%zu pools", m.pools->count);
	if (opened)
		log_info("ostlerd %d starts; pools: %zu", (int)getpid(), m.pools->count);
	while (opened && !pools_have_stopped(m.pools)) {
		int64_t now = clock_now();
		int64_t impatient = control_tick(m.control, now), stuck = sinks_flush(now);
		int64_t next = ledgers_tick(m.spawner.ledgers, m.conf->window * 1000, now);

		captures_tell_losses(m.spawner.captures);
		impatient = impatient < next ? impatient : next;
		wake = wake < impatient ? wake : impatient;
		wake = wake < stuck ? wake : stuck;
		look_at_clock(&m, 0, now);
		loop_wait(m.loop, wake);
		now = hear_the_rest(&m);
		look_at_clock(&m, wake, now);
		reap(&m);
		wake = do_what_policy_says(&m, now);
		tell_when_all_are_ready(&m);
		next = superior_tick(m.superior, m.pools, clock_now());
		wake = wake < next ? wake : next;
	}
	if (opened)
		log_info("all pools have stopped");
	close_down(&m);
	edition_drop(&m.edition);
	arena_free(&m.arena);
	return opened ? EXIT_SUCCESS : m.status;
}
