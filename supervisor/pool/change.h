/*
 * change.h - what a new configuration means for each pool.
 *
 * A pool that is the same keeps its processes.  One that differs only in how it
 * is looked after keeps them, too, under the new settings.  Any other gets a
 * next generation; a service does not, for it must not run twice.
 */
#ifndef SUPERVISOR_POOL_CHANGE_H
#define SUPERVISOR_POOL_CHANGE_H

#include "supervisor/conf/edition.h"
#include "supervisor/pool/pool.h"

#define WISHES_KEPT 16

struct wish {
	int kind;      /* enum reload_kind */
	char pool[64]; /* "": all */
};
struct wish_list {
	struct wish wish[WISHES_KEPT];
	size_t count;
};

/* The strongest wish for the pool of that name, NULL for all; -1: nobody wants it touched. */
int change_wanted(const struct wish_list *, const char *pool);

struct change {
	struct pool *pool;            /* NULL: behind the last */
	const struct pool_conf *conf; /* NULL: it is there no more */
	struct generation *coming;    /* NULL: none */
	struct generation *awaited;   /* serves already, in place of what a restart has ended */
	bool follows;                 /* takes the new settings on for the processes it has */
	bool renamed;
};

/*
 * What is to be done, in the arena, with a generation made for each pool that
 * needs one.  WRONG says what cannot be, or is left as it was; the list is
 * whole in either case.
 */
struct change *change_work_out(
    struct arena *, struct pools *, struct edition *, const struct wish_list *, const char **wrong);

/* What is left to do once all new generations have taken over, or there were none. */
void change_apply(const struct change *, struct edition *, unsigned long long number, int64_t now);

#endif
