/*
 * fcgi.h - one thread's end of FastCGI; the only door to libfcgi.
 *
 * libfcgi reads and answers requests on connections that the loop accepted; it
 * never sees the listener, because on a broken record it would accept, and drop,
 * the next client.
 */
#ifndef CORE_SERVE_FCGI_H
#define CORE_SERVE_FCGI_H

#include <stdbool.h>

#include "core/journey/request.h"

struct fcgi;

/* Once per process, before any thread starts. */
void fcgi_init(void);

struct fcgi *fcgi_new(void); /* one per thread */
void fcgi_free(struct fcgi **);

/*
 * Reads one request off connection FD up to its body, and fills HEAD with
 * pointers that stay until fcgi_finish.  False: the connection ended or spoke
 * no FastCGI, and is closed.
 */
bool fcgi_accept(struct fcgi *, int fd, struct head *) MUST_CHECK;

/* A read_body_fn; CONNECTION is the struct fcgi. */
size_t fcgi_read_body(void *connection, char *bytes, size_t room);

void fcgi_write(struct fcgi *, const char *bytes, size_t length);

/* Completes the answer.  True: FD stays open for the next request; false: it is closed. */
bool fcgi_finish(struct fcgi *, bool keep) MUST_CHECK;

#endif
