/*
 * loop.h - a web worker's loop: threads over one set of connections.
 *
 * One epoll set holds the listener and every open FastCGI connection.  Each
 * thread takes one ready connection, serves one request on it and puts it back,
 * so that a slow request holds a thread and never another connection
 * (ARCHITECTURE.md tells what this was measured against).
 *
 * SIGTERM, or a listener that was shut down, drains the worker: it accepts
 * nothing new, serves what it holds until the web server closes its
 * connections, and ends.  No signal ever interrupts a request: all are blocked
 * and read from a signalfd in the same set.
 */
#ifndef CORE_SERVE_LOOP_H
#define CORE_SERVE_LOOP_H

#include "core/serve/application.h"

struct loop_options {
	int listener; /* blocking or not: the loop makes it non-blocking */
	long long threads;
	long long silence_ms;   /* a peer that stops in the middle of a record is cut off */
	void (*ready)(void);    /* called once connections are being taken */
	void (*draining)(void); /* called once no more are */
};

/*
 * Serves until drained.  Call before the process has other threads: it blocks
 * the signals for all of them.
 */
void loop_run(struct application *, const struct loop_options *);

#endif
