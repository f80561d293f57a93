/*
 * generation.h - the life of a pool's generation: its seats, its socket, its phases.
 *
 * Everything a generation has lies in its own arena and goes with it, once the
 * last of its processes has ended.
 */
#ifndef SUPERVISOR_POOL_GENERATION_H
#define SUPERVISOR_POOL_GENERATION_H

#include "supervisor/conf/edition.h"
#include "supervisor/pool/pool.h"

/*
 * A next generation of the pool after CONF, a part of EDITION: COMING, with all
 * its seats waiting and no socket yet.  It becomes the pool's newest, and its
 * first is also the one that serves.  NULL: the critic has heard why.
 */
struct generation *generation_new(struct pool *, struct edition *, const struct pool_conf *,
    const struct plan_critic *) MUST_CHECK;

/* The same without seats, a number and an imprint, which another ostlerd has given it. */
struct generation *generation_recall(struct pool *, struct edition *, const struct pool_conf *,
    const struct plan_critic *) MUST_CHECK;
struct worker *generation_recall_seat(struct generation *);

/* Takes it out of its pool and frees it; no process of it may be left. */
void generation_free(struct generation **);

/* The same for all of all pools. */
void generation_free_all(struct pools *);

/* The only way a generation changes its phase. */
void generation_becomes(struct generation *, enum generation_phase, int64_t now);

/* The pool and all its workers have another name from now on. */
void generation_rename(struct pool *, const char *name);

/* Follows other settings of the same processes from now on. */
bool generation_follow(struct generation *, struct edition *, const struct pool_conf *,
    const struct plan_critic *) MUST_CHECK;

/* A seat that waits for a process: one that was given up, or a new one. */
struct worker *generation_add_seat(struct generation *, int64_t now);

/* Whether a seat is there to stay: it is not given up, nor there to replace another. */
bool generation_stays(const struct worker *);

/* How many seats are there to stay. */
size_t generation_staying(const struct generation *);

/* How many the pool shall have under CONF: as a person wished, as configured, or as many as it
 * has now, within the limits. */
size_t generation_wanted(const struct pool *, const struct pool_conf *);

/* Makes that many stay: adds seats, or has those leave who have nothing to do, the youngest first.
 */
void generation_scale(struct generation *, size_t workers, int64_t now);

/*
 * Opens the generation's socket, if its pool has one.  BESIDE is a listener of
 * ours at the same address, or NULL.  False: *WRONG is a sentence in the arena.
 */
bool generation_listen(
    struct arena *, struct generation *, struct listener *beside, const char **wrong) MUST_CHECK;

/* The same for all pools, which are made public, too, so that clients can queue: all or none. */
bool generation_listen_all(struct arena *, struct pools *, const char **wrong) MUST_CHECK;

/* A listener at this address that a generation of ours has, the one in charge first; or NULL. */
struct listener *generation_listener_at(const struct pools *, const struct address *);

#endif
