/* caller.h - the other end of the control socket: asks a running ostlerd. */
#ifndef SUPERVISOR_CTL_CALLER_H
#define SUPERVISOR_CTL_CALLER_H

#include "base/arena.h"
#include "supervisor/control/wire.h"

enum call_result {
	CALL_ANSWERED,
	CALL_NOBODY,    /* no ostlerd listens there */
	CALL_FORBIDDEN, /* the socket is another user's */
	CALL_FAILED,
};

struct call {
	const char *text; /* the answer as it came, NUL-terminated */
	size_t length;
	int process;       /* pidfd of the master, or -1 when it cannot be seen from here */
	const char *wrong; /* when nothing was answered: a sentence */
};

/* Asks the ostlerd at the socket PATH and takes its answer. */
enum call_result caller_ask(
    struct arena *, const char *path, const struct wire_request *, struct call *);

/* Hears each line of an answer as it comes, without its newline; false: wants no more. */
struct hearer {
	bool (*hear)(void *owner, const char *line, size_t length);
	void *owner;
};

/*
 * The same for an answer of many lines.  One that follows what happens, or waits
 * for something, may take as long as it likes.
 */
enum call_result caller_listen(struct arena *, const char *path, const struct wire_request *,
    const struct hearer *, struct call *);

/* Waits until the master has ended.  False: it cannot be seen from here. */
bool caller_wait_for_end(const struct call *);

#endif
