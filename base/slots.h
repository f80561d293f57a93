/*
 * slots.h - so many at once of something dear, over all processes of this machine.
 *
 * A slot is a byte of a file, locked while it is used (fcntl(2), open file description
 * locks): the kernel lets go of it when whoever holds it is gone, however that
 * came about, so that no counter can be left wrong.
 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stdint.h>

#include "base/attributes.h"

struct slots;

#define SLOTS_MOST 256

/*
 * COUNT slots, shared with every process that names the same file, which is made when
 * missing; "": with the other threads of this process alone.  NULL: it cannot be
 * opened, and errno says why.
 */
struct slots *slots_open(const char *path, int count) MUST_CHECK;
void slots_close(struct slots **);

/* Waits for a slot until DEADLINE (a clock_now); -1: none became free. */
int slots_take(struct slots *, int64_t deadline) MUST_CHECK;
void slots_give_back(struct slots *, int slot);

#endif
