/* wish.h - what a person asked ostlerctl for, and the commands that fulfil it. */
#ifndef SUPERVISOR_CTL_WISH_H
#define SUPERVISOR_CTL_WISH_H

#include <stdbool.h>

#include "base/arena.h"
#include "supervisor/ctl/caller.h"

/* Exit statuses, documented in ostlerctl(8). */
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NOBODY = 3, EXIT_FORBIDDEN = 4 };

enum wish_option {
	WISH_JSON = 1 << 0,
	WISH_FOLLOW = 1 << 1,
	WISH_WATCH = 1 << 2,
	WISH_WAIT = 1 << 3, /* --wait[=switched|drained]: request.until */
	WISH_DONE = 1 << 4, /* --wait, of what has one end only: likewise */
};

struct wish {
	const char *socket;
	struct arena *arena;
	struct wire_request request; /* the verb is the command's name */
	unsigned options;            /* of enum wish_option */
	const char *file;
};

/* Each returns the exit status. */
int wish_status(const struct wish *);
int wish_workers(const struct wish *);
int wish_show(const struct wish *);
int wish_trace(const struct wish *);
int wish_metrics(const struct wish *);
int wish_events(const struct wish *);
int wish_logs(const struct wish *);
int wish_why(const struct wish *);
int wish_stop(const struct wish *);
int wish_check(const struct wish *);

/* Asks for something to be done; shows each {"text": "…"} that is answered. */
int wish_act(const struct wish *);

#endif
