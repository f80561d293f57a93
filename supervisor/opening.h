/*
 * opening.h - how ostlerd begins, and how it ends.
 *
 * It begins by a configuration, and starts everything; or by what an ostlerd
 * before it hands over, and starts nothing.
 */
#ifndef SUPERVISOR_OPENING_H
#define SUPERVISOR_OPENING_H

#include "supervisor/pool/orders.h"
#include "supervisor/process/guardian.h"
#include "supervisor/process/spawn.h"

struct state;

struct master {
	const char *file;    /* of the configuration */
	const char *program; /* what an upgrade executes */
	void (*hear)(void *master, int signal);
	struct arena *arena;
	const struct conf *conf; /* that it was started with */
	struct edition *edition; /* of it */
	struct loop *loop;
	struct pools *pools;
	struct notify *notify;
	struct superior *superior; /* NULL: nobody wants to know how we are */
	struct control *control;
	struct spawner spawner;
	struct orders orders;
	struct signals *signals;
	struct guardian_before before; /* of the ostlerd before us */
	int pid_file;
	bool child_ended; /* set by a signal, acted on by the loop */
	int64_t looked;   /* when it last looked at the clock */
	bool all_ready_told;
	int status; /* that we shall exit with */
};

/* By m->conf.  False: m->status is what to exit with, and the log says why. */
bool opening_by_conf(struct master *m) MUST_CHECK;

/*
 * By the state of an ostlerd before us.  Reading it is noticed by nobody outside, so
 * it can be tried in another process; taking over then makes us its successor.
 * False: it cannot be, and in the first case the state says why.
 */
bool opening_read(struct master *m, struct state *) MUST_CHECK;
bool opening_take_over(struct master *m) MUST_CHECK;

void opening_close(struct master *m);

#endif
