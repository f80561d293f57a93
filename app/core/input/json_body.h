/* json_body.h - a JSON object, or a list of them, bound to a shape; the only door to jansson. */
#ifndef CORE_INPUT_JSON_BODY_H
#define CORE_INPUT_JSON_BODY_H

#include "core/journey/request.h"

/* Once per process, before any thread starts. */
void json_body_init(void);

/*
 * Binds TEXT, with a NUL behind its LENGTH bytes, to the route's input and adds
 * a fault for each wrong member.  A list goes to rq->inputs, and rq->is_bulk
 * says so.  NULL, or why TEXT is nothing that can be taken at all (a 400).
 */
const char *json_body_bind(struct request *, const char *text, size_t length);

#endif
