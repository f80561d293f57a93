/* opening.c - how ostlerd begins, and how it ends. */
#include "supervisor/opening.h"

#include <errno.h>
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
#include "supervisor/pool/generation.h"
#include "supervisor/pool/reload.h"
#include "supervisor/process/guardian.h"
#include "supervisor/process/inquest.h"
#include "supervisor/process/notify.h"
#include "supervisor/process/superior.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/cgroup.h"
#include "supervisor/system/inherited.h"
#include "supervisor/system/lockfile.h"
#include "supervisor/system/signals.h"
#include "supervisor/upgrade/handover.h"
#include "supervisor/upgrade/state.h"

/* What the configuration names cannot be had. */
#define EXIT_NAMED 2

/* --- what both ways need ---------------------------------------------------------------------- */

static void write_state(void *owner, struct state *state);

static struct upgrade_wish next_upgrade(struct master *m)
{
	return (struct upgrade_wish){ .candidate = { .program = m->program, .file = m->file },
		.write = write_state,
		.owner = m };
}

static struct handover make_handover(struct master *m)
{
	return (struct handover){ .arena = m->arena,
		.loop = m->loop,
		.pools = m->pools,
		.spawner = &m->spawner,
		.wish = next_upgrade(m),
		.edition = m->edition,
		.notify = m->notify,
		.superior = m->superior,
		.control = m->control,
		.guardian = { .pipe = -1 },
		.pid_file = m->pid_file,
		.looked = m->looked,
		.all_ready_told = m->all_ready_told };
}

static void write_state(void *owner, struct state *state)
{
	struct handover handover = make_handover(owner);

	handover_pass(state, &handover);
}

/* Whether there are cgroups is known before. */
static void prepare_births(struct master *m)
{
	m->spawner.loop = m->loop;
	m->spawner.scratch = arena_new(16384);
	m->spawner.captures = captures_new(m->arena, m->loop);
	m->spawner.ledgers = ledgers_open(clock_now());
	m->spawner.master = getpid();
	m->pools->inquests = m->spawner.inquests = inquests_open(m->arena, &m->spawner);
}

/* --- by a configuration ----------------------------------------------------------------------- */

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

static struct upgrade *make_upgrade(struct master *m)
{
	struct upgrade_wish wish = next_upgrade(m);

	wish.patience = m->conf->upgrade_timeout * 1000;
	return upgrade_new(m->arena, m->pools, m->loop, &wish);
}

/* All pools of the configuration, each with its first generation. */
static bool make_pools(struct master *m)
{
	struct plan_critic critic = { .hear = hear_critic };
	bool good = true;

	m->pools = pools_new();
	m->pools->reload = reload_new(m->pools, m->loop, m->file, m->conf);
	m->pools->upgrade = make_upgrade(m);
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

bool opening_by_conf(struct master *m)
{
	/* Orphans of our workers become our children instead of running on unseen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	m->loop = loop_open(m->arena);
	m->superior = superior_open(m->arena, m->conf->extend_interval * 1000);
	m->status = EXIT_FAILURE;
	if (!make_pools(m) || m->loop == NULL)
		return false;
	/* Before anything can be found by which to signal us: from now on we end in order. */
	m->signals = signals_open(m->arena, m->loop, m->hear, m);
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
	prepare_births(m);
	m->spawner.notify_name = notify_name(m->notify);
	m->spawner.guardian = guardian_start(m->arena, m->pools, m->spawner.cgroups);
	if (m->spawner.guardian != NULL)
		return true;
	log_error("cannot set up a guardian: %s", strerror(errno));
	return false;
}

/* --- by what an ostlerd before us hands over -------------------------------------------------- */

static void take(struct master *m, const struct handover *handover)
{
	m->edition = handover->edition;
	m->conf = edition_conf(m->edition);
	m->notify = handover->notify;
	m->superior = handover->superior;
	m->control = handover->control;
	m->before = handover->guardian;
	m->pid_file = handover->pid_file;
	m->looked = handover->looked;
	m->all_ready_told = handover->all_ready_told;
	m->spawner.notify_name = notify_name(m->notify);
}

bool opening_read(struct master *m, struct state *state)
{
	struct handover handover;

	m->loop = loop_open(m->arena);
	if (m->loop == NULL) {
		state_fail(state, "cannot set up: %s", strerror(errno));
		return false;
	}
	m->pools = pools_new();
	prepare_births(m);
	handover = make_handover(m);
	handover_pass(state, &handover);
	state_end(state);
	if (state_wrong(state) != NULL)
		return false;
	take(m, &handover);
	return true;
}

/* A signal that came meanwhile is still there: they were blocked, and stay so over execve(2). */
bool opening_take_over(struct master *m)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	m->status = EXIT_FAILURE;
	if (!sinks_take_log(m->conf->log_file))
		log_warn("cannot open %s: %s", m->conf->log_file, strerror(errno));
	sinks_close_unused();
	m->signals = signals_open(m->arena, m->loop, m->hear, m);
	if (m->signals != NULL)
		m->spawner.guardian = guardian_succeed(
		    m->arena, m->pools, m->spawner.cgroups, &m->before);
	if (m->spawner.guardian == NULL) {
		log_error("cannot set up: %s", strerror(errno));
		return false;
	}
	m->child_ended = true; /* whoever did, while nobody listened */
	upgrade_finish(m->pools->upgrade);
	return true;
}

/* --- the end ---------------------------------------------------------------------------------- */

void opening_close(struct master *m)
{
	guardian_end(&m->spawner.guardian);
	cgroups_close(&m->spawner.cgroups);
	if (m->pools != NULL) {
		upgrade_free(&m->pools->upgrade);
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
