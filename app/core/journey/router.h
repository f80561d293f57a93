/*
 * router.h - from a path to what may be done there.
 *
 * The routes of all features become a tree by path segments when the program
 * starts; finding one costs a few comparisons however many there are.
 */
#ifndef CORE_JOURNEY_ROUTER_H
#define CORE_JOURNEY_ROUTER_H

#include "base/arena.h"
#include "core/route.h"

struct router;

/* The most {names} in a path. */
#define PATH_NAMES_MOST 4

/* Builds the tree of all routes of the NULL-terminated FEATURES, in ARENA. */
const struct router *router_build(struct arena *, const struct feature *const *features);

/* What stands at a path: its routes by method, NULL where there is none. */
struct place {
	const char *path; /* as the routes write it: with {names} */
	const struct route *routes[METHODS];
};

/*
 * Finds PATH (decoded, without its query), splitting it in place; VALUES gets
 * the segments that stood for {names}.  NULL: nothing is there.
 */
const struct place *router_find(const struct router *, char *path, const char **values);

/* The methods of a place, as Allow lists them: "GET, HEAD, OPTIONS, POST". */
const char *router_allow(struct arena *, const struct place *);

#endif
