/* inputs.h - binding one named input, wherever it came from; private to core/. */
#ifndef CORE_INPUT_INPUTS_H
#define CORE_INPUT_INPUTS_H

#include "core/journey/request.h"

/*
 * The route's field NAME, marked as given; NULL after adding a fault when there
 * is none, when the path already says it, or when it is given twice.
 */
const struct field *inputs_claim(struct request *, const char *in, const char *name);

#endif
