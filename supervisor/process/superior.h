/*
 * superior.h - who has started us and wants to know how we are: systemd(1), by sd_notify(3).
 *
 * Anybody can be one who sets NOTIFY_SOCKET.  He is told when all pools have
 * started, of reloads, of the end, and in a sentence how things stand; he is
 * asked for more time while they take long, and assured, where he wishes it,
 * that our loop still turns.  What is said is the state of the pools, so a
 * message that he cannot take at the moment is simply said later.
 */
#ifndef SUPERVISOR_PROCESS_SUPERIOR_H
#define SUPERVISOR_PROCESS_SUPERIOR_H

#include "supervisor/pool/pool.h"

struct superior;

/*
 * Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment, for they are
 * meant for us alone.  EXTEND is the time between two requests for more time,
 * in microseconds.  NULL: there is nobody.
 */
struct superior *superior_open(struct arena *, int64_t extend);
void superior_close(struct superior **);

/* Hands it over, or takes it from a master before us: upgrade/state.h.  NULL is fine: there is
 * nobody. */
struct state;
struct superior *superior_pass(struct state *, struct arena *, struct superior *);

/* Says what there is to say.  Returns when to be called again at the latest. */
int64_t superior_tick(struct superior *, const struct pools *, int64_t now);

#endif
