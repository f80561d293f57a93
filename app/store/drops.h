/*
 * drops.h - keys that had to be dropped while Redis did not answer.
 *
 * A drop that did not get through would leave the old answer in place for as long
 * as it lives.  Such keys wait here, and everything that is read goes past them:
 * first they are dropped, then Redis is believed again.
 */
#ifndef STORE_DROPS_H
#define STORE_DROPS_H

#include "store/redis.h"

struct drops;

/* Stands for a lease while nobody may have one. */
#define DROPS_HELD "-"

struct drops *drops_new(struct redis *);
void drops_free(struct drops **);

/* The entry in which the lease of KEY stands. */
const char *drops_lease_name(struct arena *, const char *key);

/* As cache_forget in cache.h; what does not get through waits here. */
void drops_make(struct drops *, struct arena *, const char *const *keys, long long hold_ms);

/*
 * Drops all that waits; one load when nothing does, for every request.  False:
 * Redis still does not answer, and must not be believed.
 */
bool drops_settle(struct drops *, struct arena *) MUST_CHECK;

#endif
