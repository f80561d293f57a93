/* cookie.h - one cookie out of the header that has all of them (RFC 6265, section 4.2.1). */
#ifndef CORE_IDENTITY_COOKIE_H
#define CORE_IDENTITY_COOKIE_H

#include "base/arena.h"

/*
 * The value of the first cookie NAME in HEADER, "a=1; b=2", in the arena, without the quotes
 * that it may have; NULL: there is none, or no header.
 */
const char *cookie_find(struct arena *, const char *header, const char *name);

#endif
