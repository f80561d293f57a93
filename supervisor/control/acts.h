/* acts.h - the verbs that change something in the life of pools: reload, scale, drain … */
#ifndef SUPERVISOR_CONTROL_ACTS_H
#define SUPERVISOR_CONTROL_ACTS_H

#include "supervisor/control/verbs.h"

/* Each is a verb of verbs.c, for the pool in the request, or for all of them. */
char *act_reload(struct conversation *);
char *act_restart(struct conversation *);
char *act_scale(struct conversation *);
char *act_drain(struct conversation *);
char *act_resume(struct conversation *);
char *act_upgrade(struct conversation *);

#endif
