/* faults.c - everything wrong with what was sent. */
#include "core/input/faults.h"

/* A client that sends thousands of unknown names is told of the first ones. */
#define FAULTS_MOST 50

/* NAME as a JSON pointer of one step (RFC 6901, section 3): ~ and / are escaped. */
static const char *pointer_to(struct arena *arena, const char *name)
{
	struct buffer pointer;

	buffer_start(&pointer, arena, 32);
	buffer_add_char(&pointer, '/');
	for (; *name != '\0'; name++) {
		if (*name == '~')
			buffer_add_text(&pointer, "~0");
		else if (*name == '/')
			buffer_add_text(&pointer, "~1");
		else
			buffer_add_char(&pointer, *name);
	}
	buffer_add_char(&pointer, '\0');
	return pointer.data;
}

void fault_add(struct request *rq, const char *in, const char *name, const char *detail)
{
	struct fault *fault;

	if (rq->faults.count++ >= FAULTS_MOST)
		return;
	fault = arena_alloc(rq->arena, sizeof(*fault));
	*fault =
	    (struct fault){ .pointer = pointer_to(rq->arena, name), .in = in, .detail = detail };
	if (rq->faults.last != NULL)
		rq->faults.last->next = fault;
	else
		rq->faults.first = fault;
	rq->faults.last = fault;
}
