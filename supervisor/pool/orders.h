/* orders.h - does what policy has decided. */
#ifndef SUPERVISOR_POOL_ORDERS_H
#define SUPERVISOR_POOL_ORDERS_H

#include "supervisor/pool/policy.h"
#include "supervisor/process/spawn.h"

/* Carries all of them out, at the time NOW (a clock_now). */
void orders_carry_out(const struct orders *, struct spawner *, int64_t now);

#endif
