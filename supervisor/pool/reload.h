/*
 * reload.h - from one configuration to the next, whole or not at all.
 *
 * A reload reads and checks the configuration, compares it with what runs, and
 * starts new generations of the pools that changed beside the old.  Only when
 * all of them are ready do they take over; when anything goes wrong before
 * that, they end, and nothing has happened.  What is asked for meanwhile is
 * gathered into one next reload.
 */
#ifndef SUPERVISOR_POOL_RELOAD_H
#define SUPERVISOR_POOL_RELOAD_H

#include "supervisor/pool/pool.h"

struct reload;

enum reload_kind {
	RELOAD_CHANGED, /* of pools that differ from what is configured now */
	RELOAD_ANYWAY,  /* the named one, whether it differs or not */
	RELOAD_RESTART, /* likewise, and a service is stopped and started again */
};

struct reload_wish {
	enum reload_kind kind;
	const char *pool; /* NULL: all */
	const char *who;  /* for the record: "SIGHUP" */
};

/* FILE, and the configuration STARTED with which all began, must outlive it. */
struct reload *reload_new(
    struct pools *, struct loop *, const char *file, const struct conf *started) MUST_CHECK;
void reload_free(struct reload **);

/* Asks for one.  Returns its number, from 1; several wishes may become one reload. */
unsigned long long reload_ask(struct reload *, const struct reload_wish *);

/* Goes on with what is under way.  Returns when to be called again at the latest. */
int64_t reload_tick(struct reload *, int64_t now);

/* From its beginning until the new processes have taken over, or it has failed. */
bool reload_is_under_way(const struct reload *);

/* Hands over what was asked for and what became of it, while none is under way: upgrade/state.h. */
struct state;
void reload_pass(struct state *, struct reload *);

enum reload_result {
	RELOAD_PENDING,
	RELOAD_SWITCHED, /* new requests go to new processes; old ones may still finish theirs */
	RELOAD_DRAINED,  /* and all old ones have ended */
	RELOAD_FAILED,   /* nothing has changed; *TEXT says why */
};

/* How far the reload of that number has come.  TEXT stays until two more have failed. */
enum reload_result reload_result(
    const struct reload *, unsigned long long number, const char **text);

#endif
