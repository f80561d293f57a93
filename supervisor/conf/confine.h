/* confine.h - what a pool's limits, capabilities and paths mean: the settings limits to landlock.
 */
#ifndef SUPERVISOR_CONF_CONFINE_H
#define SUPERVISOR_CONF_CONFINE_H

#include "base/arena.h"
#include "supervisor/system/confinement.h"

struct plan_critic;
struct pool_conf;

/* Fills the confinement from CONF, which must outlive it.  Returns whether nothing was wrong. */
bool confine_make(struct arena *, const struct pool_conf *, const struct plan_critic *,
    struct confinement *) MUST_CHECK;

#endif
