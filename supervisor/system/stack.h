/*
 * stack.h - who has called whom in a stopped thread of another process, by libunwind.
 *
 * The thread need be stopped only while its frames are counted; their names are
 * found afterwards, in the files that the process is made of.
 */
#ifndef SUPERVISOR_SYSTEM_STACK_H
#define SUPERVISOR_SYSTEM_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"

struct stack; /* of one process, all of its threads */

struct stack_frame {
	uint64_t place; /* of the instruction that is at work; of a caller: that it called with */
	uint64_t begin; /* of its function, as the unwind table has it; 0: that tells nothing */
};

/* NULL: out of memory. */
struct stack *stack_open(pid_t) MUST_CHECK;
void stack_close(struct stack **);

/* The frames of a stopped thread, innermost first; returns how many, MOST at most. */
size_t stack_walk(struct stack *, pid_t tid, struct stack_frame *, size_t most);

#define STACK_NAME 128

/*
 * The function of a frame, as its symbol is written, and how far into it the frame is;
 * a longer name is cut.  False: nothing tells it.  Of a stripped library only those
 * functions have a name that others may call, and the next one before the place is
 * usually not the function that it is in.
 */
bool stack_name(struct stack *, const struct stack_frame *, char name[static STACK_NAME],
    uint64_t *into) MUST_CHECK;

#endif
