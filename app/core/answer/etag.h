/*
 * etag.h - entity tags and the lists of them that clients send (RFC 9110, 8.8.3 and 13.1).
 *
 * Tags are compared weakly everywhere: nginx makes W/"…" of ours when it
 * compresses, and a client can only send back what it has got.  Of If-Match that
 * is a deviation from 13.1.1, and a safe one: both forms name the same version.
 */
#ifndef CORE_ANSWER_ETAG_H
#define CORE_ANSWER_ETAG_H

#include <stdbool.h>

#include "base/arena.h"

/* The tag of what has no version: the same bytes have the same one, and no others have it. */
const char *etag_of(struct arena *, const void *bytes, size_t length);

/* Whether LIST is "*" or names ETAG, which is quoted. */
bool etag_is_listed(const char *list, const char *etag);

/* Whether LIST is "*", or entity tags with commas between them. */
bool etag_list_is_valid(const char *list);

#endif
