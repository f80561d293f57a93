/* multipart_body.h - a multipart/form-data body bound to a shape, its files streamed to disk. */
#ifndef CORE_INPUT_MULTIPART_BODY_H
#define CORE_INPUT_MULTIPART_BODY_H

#include "core/input/object.h"

/* Binds the body and adds a fault for each wrong part.  0, or the status of the answer made. */
int multipart_body_bind(struct request *, const struct target *) MUST_CHECK;

#endif
