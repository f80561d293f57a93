/*
 * uploads.h - files that were sent, while their request lasts.
 *
 * Each is a file without a name (O_TMPFILE) in the configured folder: nobody
 * else can open it, and however the process ends, nothing of it stays behind.
 */
#ifndef CORE_INPUT_UPLOADS_H
#define CORE_INPUT_UPLOADS_H

#include "core/journey/request.h"

/* Opens an empty one and holds it for the request.  -1 after logging why it cannot be. */
int uploads_open(struct request *) MUST_CHECK;

/* Appends.  False after logging why: no room, in general. */
bool uploads_write(int fd, const char *bytes, size_t length) MUST_CHECK;

/* When the request ends. */
void uploads_close(struct request *);

#endif
