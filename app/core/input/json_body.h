/* json_body.h - a JSON object bound to a shape; the only door to jansson. */
#ifndef CORE_INPUT_JSON_BODY_H
#define CORE_INPUT_JSON_BODY_H

#include "core/journey/request.h"

/* Once per process, before any thread starts. */
void json_body_init(void);

/*
 * Binds TEXT to the route's input and adds a fault for each wrong member.
 * NULL, or why TEXT is no JSON object that can be taken at all (a 400).
 */
const char *json_body_bind(struct request *, const char *text, size_t length);

#endif
