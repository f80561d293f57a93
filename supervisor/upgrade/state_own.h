/* state_own.h - private to state*.c: what a state is inside. */
#ifndef SUPERVISOR_UPGRADE_STATE_OWN_H
#define SUPERVISOR_UPGRADE_STATE_OWN_H

#include "base/buffer.h"
#include "supervisor/upgrade/state.h"

/* How the bytes begin. */
struct state_head {
	uint64_t magic;
	uint64_t version;
	uint64_t length; /* with the head */
	uint64_t token;
};

struct state {
	struct arena *arena;
	bool read;
	struct state_head head;
	void *file; /* mapped; NULL: the bytes are somebody else's */
	size_t file_size;
	struct buffer out;      /* what is written */
	const char *next, *end; /* of what is read */
	const char *part;
	const char *wrong;
	int *fd; /* that are in it */
	size_t fds, room;
};

#endif
