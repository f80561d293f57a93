/* orders.h - does what policy has decided. */
#ifndef SUPERVISOR_ORDERS_H
#define SUPERVISOR_ORDERS_H

#include "supervisor/policy.h"
#include "supervisor/spawn.h"

/* Carries all of them out, at the time NOW (a clock_now). */
void orders_carry_out(const struct orders *, struct spawner *, int64_t now);

#endif
