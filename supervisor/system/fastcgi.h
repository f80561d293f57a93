/*
 * fastcgi.h - a FastCGI request and its answer, as bytes.
 *
 * The web server's side of the FastCGI specification, version 1.0, sections 3
 * to 5, for one request on a connection: what ostlerd needs to ask a worker
 * something, and no more.  Nothing here touches a socket.
 */
#ifndef SUPERVISOR_SYSTEM_FASTCGI_H
#define SUPERVISOR_SYSTEM_FASTCGI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/*
 * Adds a whole request without a body, after which the worker shall close the
 * connection.  PARAMS are "NAME=value" and end with NULL.
 */
void fastcgi_request(struct buffer *, const char *const *params);

#define FASTCGI_HEAD 2048 /* more of an answer is not looked at */
#define FASTCGI_SAID 512

/* Zero at first. */
struct fastcgi_answer {
	bool ended;   /* all of it has come */
	bool refused; /* the program would not take the request: overloaded, or no responder */
	char head[FASTCGI_HEAD + 1]; /* how its standard output begins */
	char said[FASTCGI_SAID + 1]; /* and its error output, which many send this way */
	size_t head_length, said_length;
	/* of the record that is being taken: */
	unsigned char record[8];
	size_t record_length, content, padding;
};

/* Takes bytes as they come.  False: that is no FastCGI. */
bool fastcgi_take(struct fastcgi_answer *, const char *bytes, size_t length) MUST_CHECK;

/*
 * The HTTP status of an answer by RFC 3875, section 6: that of its Status field,
 * 302 with a Location and 200 with neither.  0: it has no head.
 */
int fastcgi_status(const struct fastcgi_answer *);

#endif
