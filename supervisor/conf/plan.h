/*
 * plan.h - what a pool's settings mean: numbers and addresses instead of names.
 *
 * The same function serves the check of a configuration, which complains, and
 * the start of its pools, so that what was checked is what is done.
 */
#ifndef SUPERVISOR_CONF_PLAN_H
#define SUPERVISOR_CONF_PLAN_H

#include "base/arena.h"
#include "supervisor/conf/conf.h"
#include "supervisor/conf/confine.h"
#include "supervisor/conf/readiness.h"
#include "supervisor/conf/trial.h"
#include "supervisor/system/identity.h"
#include "supervisor/system/listener.h"

struct plan {
	const struct pool_conf *conf;
	const char *program; /* absolute path of command[0] */
	const char *probe;   /* and of the command in ready = "exec:…" */
	const char *tracer;  /* and of trace_command[0]; NULL: there is none */
	struct identity who;
	struct confinement confinement;
	struct readiness ready;
	struct trial_plan trial;
	struct address address; /* of a fastcgi pool */
	struct listener_rights rights;
	mode_t umask;
	int stop_signal, reload_signal; /* 0: none */
	char *const *environment;       /* without what differs between workers */
};

/* Hears what is wrong with the setting NAME; the message has no final full stop. */
struct plan_critic {
	void (*hear)(void *owner, const char *name, const char *message);
	void *owner;
};

/*
 * Fills the plan from CONF, which must outlive it.  Each thing that is wrong
 * goes to the critic.  Returns whether nothing was.
 */
bool plan_make(
    struct arena *, const struct pool_conf *, const struct plan_critic *, struct plan *) MUST_CHECK;

#endif
