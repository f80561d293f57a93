/* raw_body.h - a body that is one file and nothing else, streamed to disk. */
#ifndef CORE_INPUT_RAW_BODY_H
#define CORE_INPUT_RAW_BODY_H

#include "core/input/object.h"

/* Stores the body as the shape's UPLOAD.  0, or the status of the answer that it has made. */
int raw_body_bind(struct request *, const struct target *);

#endif
