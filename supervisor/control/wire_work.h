/* wire_work.h - private to wire*.c: what workers do and what pools have done, as JSON. */
#ifndef SUPERVISOR_CONTROL_WIRE_WORK_H
#define SUPERVISOR_CONTROL_WIRE_WORK_H

#include <jansson.h>
#include <stdint.h>

struct pool;
struct worker;

/* Adds to the OBJECT of a worker, or of a pool.  What is not known is null. */
void wire_add_work(json_t *object, const struct worker *, int64_t now);
void wire_add_figures(json_t *object, const struct pool *, int64_t now);

#endif
