/* stack.c - who has called whom in a stopped thread of another process, by libunwind. */
#include "supervisor/system/stack.h"

#include <libunwind-ptrace.h>
#include <stdlib.h>

struct stack {
	unw_addr_space_t space;
	void *process; /* of libunwind: what it knows of the process's files */
};

struct stack *stack_open(pid_t pid)
{
	struct stack *stack = calloc(1, sizeof(*stack));

	if (stack == NULL)
		return NULL;
	stack->space = unw_create_addr_space(&_UPT_accessors, 0);
	stack->process = _UPT_create(pid);
	if (stack->space != NULL && stack->process != NULL) {
		unw_set_caching_policy(stack->space, UNW_CACHE_GLOBAL);
		return stack;
	}
	stack_close(&stack);
	return NULL;
}

void stack_close(struct stack **stack)
{
	if (*stack == NULL)
		return;
	if ((*stack)->process != NULL)
		_UPT_destroy((*stack)->process);
	if ((*stack)->space != NULL)
		unw_destroy_addr_space((*stack)->space);
	free(*stack);
	*stack = NULL;
}

/*
 * What a frame holds of its caller is where that goes on: behind the call.  If
 * the called never returns that is in another function, so the byte before it is
 * what tells.  Only a signal breaks in between two instructions.
 */
static void note_frame(unw_cursor_t *cursor, unw_word_t place, struct stack_frame *frame)
{
	unw_proc_info_t about;

	*frame = (struct stack_frame){ .place = place };
	if (unw_get_proc_info(cursor, &about) == 0)
		frame->begin = about.start_ip;
}

size_t stack_walk(struct stack *stack, pid_t tid, struct stack_frame *frame, size_t most)
{
	void *thread = _UPT_create(tid);
	unw_cursor_t cursor;
	size_t count = 0;
	bool called = false;
	unw_word_t place;
	int left;

	if (thread == NULL)
		return 0;
	left = unw_init_remote(&cursor, stack->space, thread) == 0;
	while (left > 0 && count < most && unw_get_reg(&cursor, UNW_REG_IP, &place) == 0 &&
	       place != 0) {
		note_frame(&cursor, place - called, &frame[count++]);
		called = unw_is_signal_frame(&cursor) <= 0;
		left = unw_step(&cursor);
	}
	_UPT_destroy(thread);
	return count;
}

bool stack_name(struct stack *stack, const struct stack_frame *frame, char name[static STACK_NAME],
    uint64_t *into)
{
	unw_word_t offset = 0;
	int result;

	name[0] = '\0';
	result = _UPT_get_proc_name(
	    stack->space, frame->place, name, STACK_NAME, &offset, stack->process);
	name[STACK_NAME - 1] = '\0';
	*into = offset;
	if ((result != 0 && result != -UNW_ENOMEM) || name[0] == '\0')
		return false;
	return frame->begin == 0 || frame->place - offset == frame->begin;
}
