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
#include "supervisor/burial.h"
#include "supervisor/control.h"
#include "supervisor/generation.h"
#include "supervisor/lockfile.h"
#include "supervisor/notify.h"
#include "supervisor/orders.h"
#include "supervisor/signals.h"

struct master {
	const struct conf *conf;
	struct arena *arena;
	struct loop *loop;
	struct pools *pools;
	struct notify *notify;
	struct control *control;
	struct spawner spawner;
	struct orders orders;
	struct signals *signals;
	int pid_file;
	bool child_ended; /* set by a signal, acted on by the loop */
	bool all_ready_told;
};

/* --- what the loop does ----------------------------------------------------------------------- */

static void hear_stop(struct master *m, int signal)
{
	enum stopping wish = m->pools->stopping == STOP_NOT ? STOP_ORDERLY : STOP_QUICK;

	if (signal == SIGQUIT)
		wish = STOP_QUICK;
	log_info("SIG%s: %s", sigabbrev_np(signal),
	    wish == STOP_ORDERLY ? "stops all in order; once more: stops all at once"
				 : "stops all at once");
	pools_stop(m->pools, wish, clock_now());
}

/* Takes a note; the loop acts on it in its own order. */
static void hear_signal(void *owner, int signal)
{
	struct master *m = owner;

	if (signal == SIGCHLD)
		m->child_ended = true;
	else if (signal == SIGHUP)
		log_info("SIGHUP: ignored; stop and start again to change the configuration");
	else
		hear_stop(m, signal);
}

static void reap(struct master *m)
{
	if (!m->child_ended)
		return;
	m->child_ended = false;
	bury_the_dead(m->pools, &m->spawner);
}

/* Returns when to decide again: at once when an order has just changed things. */
static int64_t do_what_policy_says(struct master *m)
{
	int64_t now = clock_now();

	policy_decide(m->pools, now, &m->orders);
	orders_carry_out(&m->orders, &m->spawner, now);
	return m->orders.count > 0 ? now : m->orders.wake;
}

static void tell_when_all_are_ready(struct master *m)
{
	if (m->all_ready_told || !pools_are_ready(m->pools))
		return;
	m->all_ready_told = true;
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
		log_error("%s: %s", path,
		    errno == EWOULDBLOCK ? "another ostlerd holds it" : strerror(errno));
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
	if (m->control != NULL && generation_listen_all(m->arena, m->pools, &wrong))
		return true;
	log_error("%s", wrong);
	return false;
}

static bool open_up(struct master *m)
{
	struct plan_critic critic = { .hear = hear_critic };

	/* Orphans of our workers become our children instead of running on unseen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	m->pools = pools_new(m->arena, m->conf, &critic);
	m->loop = loop_open(m->arena);
	if (m->pools == NULL || m->loop == NULL || !hold_pid_file(m) || !open_sockets(m))
		return false;
	m->notify = notify_open(m->arena, m->loop, m->pools);
	m->signals = signals_open(m->arena, m->loop, hear_signal, m);
	if (m->notify == NULL || m->signals == NULL) {
		log_error("cannot set up: %s", strerror(errno));
		return false;
	}
	orders_make(m->arena, m->pools, &m->orders);
	m->spawner = (struct spawner){ .loop = m->loop,
		.scratch = arena_new(16384),
		.notify_name = notify_name(m->notify),
		.master = getpid() };
	return true;
}

static void close_down(struct master *m)
{
	if (m->pools != NULL)
		generation_close_all(m->pools);
	notify_close(&m->notify);
	control_close(&m->control);
	if (m->conf->pid_file != NULL)
		lockfile_drop(m->conf->pid_file, &m->pid_file);
	signals_close(&m->signals);
	loop_close(&m->loop);
	if (m->spawner.scratch != NULL)
		arena_free(&m->spawner.scratch);
}

int master_run(const struct conf *conf)
{
	struct master m = { .conf = conf, .arena = arena_new(65536), .pid_file = -1 };
	bool opened = open_up(&m);
	int64_t wake = 0;

	if (opened)
		log_info("ostlerd %d starts; pools: %zu", (int)getpid(), m.pools->count);
	while (opened && !pools_have_stopped(m.pools)) {
		int64_t impatient = control_tick(m.control, clock_now());

		loop_wait(m.loop, wake < impatient ? wake : impatient);
		reap(&m);
		wake = do_what_policy_says(&m);
		tell_when_all_are_ready(&m);
	}
	if (opened)
		log_info("all pools have stopped");
	close_down(&m);
	arena_free(&m.arena);
	return opened ? EXIT_SUCCESS : EXIT_FAILURE;
}
