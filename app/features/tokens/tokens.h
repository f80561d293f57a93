/* tokens.h - what the files of this feature share. */
#ifndef FEATURES_TOKENS_H
#define FEATURES_TOKENS_H

#include "core/route.h"

handler_fn list_keys; /* jwks.c */

#endif
