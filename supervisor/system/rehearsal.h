/*
 * rehearsal.h - will a worker be able to confine itself, and still to run?
 *
 * A child takes the steps that the worker will take, with the same rights, and
 * tells which one fails.  What can only be known by doing it is so known when
 * the configuration is checked: hard limits, a cpuset, a kernel's version.
 */
#ifndef SUPERVISOR_SYSTEM_REHEARSAL_H
#define SUPERVISOR_SYSTEM_REHEARSAL_H

#include "base/attributes.h"

struct confinement;
struct identity;

#define REHEARSAL_TEXT 4600

struct rehearsal {
	const struct identity *who;
	const struct confinement *confinement;
	const char *program;
};

/*
 * Returns NULL, or what is in the way, in TEXT as a sentence; and in SETTING the name of the
 * setting that asks for it.
 */
const char *rehearsal_hold(
    const struct rehearsal *, char text[static REHEARSAL_TEXT], const char **setting) MUST_CHECK;

#endif
