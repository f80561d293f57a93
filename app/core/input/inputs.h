/* inputs.h - JSON that did not come as a request's body, bound as if it had; private to core/. */
#ifndef CORE_INPUT_INPUTS_H
#define CORE_INPUT_INPUTS_H

#include "core/journey/request.h"

/*
 * Binds JSON, LENGTH bytes and a NUL behind them, to the input of the request's
 * route.  NULL, or why it can not be taken at all; single errors are faults.
 */
const char *inputs_take(struct request *, const char *json, size_t length);

#endif
