/* wire_json.h - private to wire*.c: values as JSON, and JSON as a line. */
#ifndef SUPERVISOR_CONTROL_WIRE_JSON_H
#define SUPERVISOR_CONTROL_WIRE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"

/* The object as a line, which is consumed; the caller's to free(). */
char *wire_line(json_t *object);

/*
 * Text of LENGTH bytes that may come from anywhere: a byte that is no UTF-8, which JSON
 * could not carry, becomes U+FFFD.
 */
json_t *wire_text(const char *text, size_t length);

/* Seconds, or null when MICROSECONDS is negative. */
json_t *wire_seconds(int64_t microseconds);

/*
 * Members of an object.  An ostlerctl may be older or newer than the ostlerd that it
 * asks: what it does not know it ignores, and what is missing is "" or 0.
 */
const char *wire_member_text(struct arena *, const json_t *object, const char *name);
long long wire_member_number(const json_t *object, const char *name);

#endif
