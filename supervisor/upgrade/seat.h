/* seat.h - one worker on its way from one ostlerd to the next: part of estate.h. */
#ifndef SUPERVISOR_UPGRADE_SEAT_H
#define SUPERVISOR_UPGRADE_SEAT_H

#include "supervisor/pool/pool.h"
#include "supervisor/process/spawn.h"
#include "supervisor/record/ledger.h"
#include "supervisor/upgrade/state.h"

void seat_pass(struct state *, struct spawner *, struct worker *);

/* Which of its generation it replaces: when all are there. */
void seat_pass_replaced(struct state *, struct worker *);

#endif
