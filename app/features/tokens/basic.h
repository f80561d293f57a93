/* basic.h - a name and a secret in Authorization: Basic (RFC 7617). */
#ifndef FEATURES_TOKENS_BASIC_H
#define FEATURES_TOKENS_BASIC_H

#include <stdbool.h>

#include "base/arena.h"

struct credentials {
	const char *id, *secret;
};

/* Reads the value of the header; false when it is of another scheme or broken. */
bool basic_read(struct arena *, const char *header, struct credentials *) MUST_CHECK;

#endif
