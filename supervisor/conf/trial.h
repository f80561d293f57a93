/*
 * trial.h - what a new generation is asked before it serves: the settings canary….
 *
 * A program can start well and fail at its first request.  The request is made
 * of the settings once; process/canary.h sends it.
 */
#ifndef SUPERVISOR_CONF_TRIAL_H
#define SUPERVISOR_CONF_TRIAL_H

#include <stddef.h>

#include "base/arena.h"

struct pool_conf;

struct trial_plan {
	const char *request; /* the bytes to send; NULL: nothing is asked */
	size_t length;
	int least, most; /* the status of a good answer, both included */
};

/*
 * Makes it of CONF's settings.  Returns NULL, or what is wrong: a sentence in the
 * arena about the setting *NAME.
 */
const char *trial_make(struct arena *, const struct pool_conf *conf, struct trial_plan *,
    const char **name) MUST_CHECK;

#endif
